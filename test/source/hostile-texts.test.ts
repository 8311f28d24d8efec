import { ok } from 'node:assert/strict';
import { test } from 'node:test';
import { createDecoder, type Decoder } from '../../agent/source/decode.ts';
import { createLineWriter } from '../../record/line/encode.ts';
import type { ExecEvent, Place } from '../../record/types.ts';
import { createRedactor } from '../../redact/redactor.ts';
import { BOOT_ID, uuidOf } from '../support/ids.ts';
import { type CraftedExec, craftExec } from '../support/kernel-events.ts';
import { bytesInUse } from '../support/memory.ts';

const EXECS = 5000;
const LOOK_EVERY = 500;
/** What may be kept of all execs: the agent has 128 MiB for everything, and uses 25 to 80. */
const KEPT_MAX = 16 << 20;
const ID = uuidOf('01234567-89ab-8cde-8f01-23456789abcd');
const HOST: Place = { resource: '{"host.name":"n"}', cgroup: undefined, attributes: '' };

/** A text of this many bytes; another number gives another text. */
function textOf(fill: string, n: number, bytes: number): Buffer {
  const end = Buffer.from(`/${n}`);
  return Buffer.concat([Buffer.alloc(bytes - end.length, fill, 'latin1'), end]);
}

const argument = (text: Buffer) => Buffer.concat([text, Buffer.alloc(1)]);
/** Each command comes twice, because the agent keeps what recurs. */
const half = (n: number) => n >> 1;

const KINDS: Readonly<Record<string, (n: number) => CraftedExec>> = {
  'links to one program in deep folders': (n) => ({ path: textOf('\xff', n, 4095) }),
  'links with shorter names': (n) => ({ path: textOf('\xff', n, 256) }),
  'all texts long': (n) => ({
    object: textOf('\xff', half(n), 2300),
    cwd: textOf('\xff', half(n), 2300),
    path: textOf('\xff', half(n), 2300),
    args: argument(textOf('\xff', half(n), 2300)),
  }),
  'long arguments': (n) => ({ path: '/bin/x', args: argument(textOf('\xff', half(n), 2800)) }),
  'empty arguments': (n) => ({
    path: '/bin/x',
    args: Buffer.concat([Buffer.from(`${half(n)}`), Buffer.alloc(8000)]),
  }),
};

for (const [kind, execOf] of Object.entries(KINDS))
  test(`the memory for ${EXECS} execs with hostile texts is bounded: ${kind}`, () => {
    const buffer = Buffer.alloc(64 << 10);
    const decoder = createDecoder(buffer, 1, createRedactor());
    const write = createWrite();
    const kept = mostKept((n) => write(decoded(buffer, decoder, execOf(n)), HOST));
    ok(kept < KEPT_MAX, `${(kept / 2 ** 20).toFixed(1)} MiB`);
  });

test('the memory for the lines of cgroups with long paths is bounded', () => {
  const buffer = Buffer.alloc(64 << 10);
  const event = decoded(buffer, createDecoder(buffer, 1, undefined), { path: '/bin/x' });
  const write = createWrite();
  const cgroupOf = (n: number) => `0::/${'\\xff'.repeat(4000)}${n}`;
  const kept = mostKept((n) => write(event, { ...HOST, cgroup: cgroupOf(n) }));
  ok(kept < KEPT_MAX / 2, `${(kept / 2 ** 20).toFixed(1)} MiB`);
});

function createWrite(): (event: ExecEvent, place: Place) => void {
  const line = Buffer.alloc(1 << 20);
  const writer = createLineWriter({
    bootId: BOOT_ID,
    hookId: '1',
    self: { pid: 1, ppid: 1, uid: 0, gid: 0, comm: 'agent', executable: '/agent' },
    offset: () => ({ seconds: 0, nanos: 0 }),
  });
  return (event, place) => {
    const exec = { action: 'exec', id: ID, event, parentCause: null, gap: undefined } as const;
    writer.write(exec, place, line, 0);
  };
}

function decoded(buffer: Buffer, decoder: Decoder, exec: CraftedExec): ExecEvent {
  const bytes = craftExec({ comm: 'x', ...exec });
  bytes.copy(buffer);
  const event = decoder.decode(0, bytes.length);
  if (event.kind !== 'exec') throw new Error(JSON.stringify(event));
  return event;
}

/** The most memory that is in use during so many execs, beyond what the first of them needs. */
function mostKept(record: (n: number) => void): number {
  record(EXECS);
  const before = bytesInUse();
  let most = 0;
  for (let n = 0; n < EXECS; n++) {
    record(n);
    if (n % LOOK_EVERY === LOOK_EVERY - 1) most = Math.max(most, bytesInUse() - before);
  }
  record(EXECS);
  return most;
}
