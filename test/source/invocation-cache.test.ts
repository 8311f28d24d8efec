import { ok } from 'node:assert/strict';
import { test } from 'node:test';
import { createEventView } from '../../agent/source/event-view.ts';
import { createInvocationCache } from '../../agent/source/invocation-cache.ts';
import type { Invocation } from '../../record/types.ts';
import { craftExec } from '../support/kernel-events.ts';

const COMMANDS = 200;
const READ = { object: '', workingDirectory: '', executable: { path: '' } } as Invocation;

/** The events of commands that differ in a number at some place, one after the other. */
function eventsOf(shift: number): { buffer: Buffer; events: [offset: number, length: number][] } {
  const events: [number, number][] = [];
  const parts: Buffer[] = [];
  let offset = 0;
  for (let n = 0; n < COMMANDS; n++) {
    const args = `curl\0${'x'.repeat(shift)}${n}\0--silent\0`;
    const event = craftExec({ object: '/bin/curl', path: '/bin/curl', cwd: '/', args });
    const padded = Buffer.alloc(Math.ceil(event.length / 8) * 8);
    event.copy(padded);
    parts.push(padded);
    events.push([offset, event.length]);
    offset += padded.length;
  }
  const buffer = Buffer.alloc(offset);
  Buffer.concat(parts).copy(buffer);
  return { buffer, events };
}

for (const shift of [0, 1, 2, 3])
  test(`commands that differ in one word only are mostly known, with ${shift} bytes before it`, () => {
    const { buffer, events } = eventsOf(shift);
    let reads = 0;
    const cache = createInvocationCache(createEventView(buffer), () => {
      reads += 1;
      return READ;
    });
    const round = () => {
      for (const [offset, length] of events) cache.invocation(offset, length);
    };
    // The first time it is seen, and the second time it is kept.
    round();
    round();
    reads = 0;
    round();
    ok(reads < COMMANDS / 4, `${reads} of ${COMMANDS} were read again`);
  });
