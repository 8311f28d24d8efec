import { doesNotThrow, throws } from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { Access } from '../../../forensics/serve/access.ts';

test('a ticket is good for half a minute', () => {
  let now = 1000;
  const access = new Access(false, () => now);
  const request = { headers: {} } as IncomingMessage;
  const [one, other] = [access.ticket(), access.ticket()];
  now += 29_999;
  doesNotThrow(() => access.checkTicket(request, one));
  now += 1;
  throws(() => access.checkTicket(request, other), /begin it in the page/);
  const third = access.ticket();
  doesNotThrow(() => access.checkTicket(request, third));
});
