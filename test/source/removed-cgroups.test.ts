import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecoder } from '../../agent/source/decode.ts';
import { execEvent } from '../../agent/source/layout.ts';
import { bufferWith, craftCgroup, craftExec } from '../support/kernel-events.ts';

const buffer = bufferWith(craftExec({}));
const decoder = createDecoder(buffer, 1, (args) => ({ args, redacted: 0 }));

function decode(event: Buffer) {
  event.copy(buffer);
  return decoder.decode(0, event.length);
}

function invocationIn(cgroup: bigint) {
  const exec = { object: '/bin/true', path: '/bin/true', args: 'true\0' };
  const event = decode(craftExec({ ...exec, u64: [[execEvent.contextCgroupV2, cgroup]] }));
  return event.kind === 'exec' ? event.invocation : undefined;
}

/** An invocation is kept from the second time on. */
function recurringIn(cgroup: bigint) {
  invocationIn(cgroup);
  return invocationIn(cgroup);
}

test('what is kept of a cgroup is forgotten once it is removed, for 64 of them at once', () => {
  const [ended, running] = [recurringIn(1n), recurringIn(2n)];
  assert.equal(invocationIn(1n), ended);
  decode(craftCgroup({ id: 1n, hierarchy: 0 }));
  decode(craftCgroup({ id: 2n, hierarchy: 7 })); // another cgroup with the same number
  for (let id = 3n; id < 65n; id++) decode(craftCgroup({ id, hierarchy: 0 }));
  const again = invocationIn(1n);
  assert.notEqual(again, ended);
  assert.notEqual(again?.context, ended?.context);
  assert.deepEqual(again?.context, ended?.context);
  assert.equal(invocationIn(2n), running);
});
