import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Enricher } from '../../agent/enrich/enricher.ts';
import type { DeletedRange } from '../../agent/journal/archive/retention.ts';
import type { Journal } from '../../agent/journal/journal.ts';
import { Lineage } from '../../agent/lineage/lineage.ts';
import { Losses } from '../../agent/lineage/losses.ts';
import { Recorder } from '../../agent/run/session/recorder.ts';
import { WrittenNumbers } from '../../agent/run/session/written-numbers.ts';
import { Clock } from '../../agent/source/clock.ts';
import { createDecoder } from '../../agent/source/decode.ts';
import type { Hook } from '../../agent/source/hook.ts';
import { cpuState } from '../../agent/source/layout.ts';
import { createLineWriter } from '../../record/line/encode.ts';
import type { ExecEvent } from '../../record/types.ts';
import { BOOT_ID } from '../support/ids.ts';
import { craftExec } from '../support/kernel-events.ts';

const NO_CAUSE = 99;
/** More turns than it takes to look for lost numbers while events come. */
const MANY = 250;

/** A recorder of these events; the enrichment answers `wait` and `reading`, and the journal `retired`. */
function recorderOf(
  events: readonly Buffer[],
  wait = 0,
  retired: DeletedRange[] = [],
  reading: () => Promise<void> | undefined = () => undefined,
  resource = '{}',
  unknown: string[] = [],
) {
  const buffer = Buffer.from(new ArrayBuffer(131_072));
  let bytes = 0;
  for (const event of events) {
    buffer.writeUInt32LE(event.length, bytes);
    event.copy(buffer, bytes + 8);
    bytes += 8 + Math.ceil(event.length / 8) * 8;
  }
  let drained = 0;
  const states = Buffer.alloc(2 * cpuState.bytes);
  const programs = [{ name: 'on_exec', recursionMisses: 0 }];
  const committed: [next: number, misses: number][] = [];
  const hook = {
    buffer,
    clock: new Float64Array(5),
    touch: () => {},
    commit: ([next = 0]: Float64Array, misses: number) => committed.push([next, misses]),
    statistics: () => ({ ringBytes: 65_536, programs }),
    positions: () => [drained, bytes],
    cpuStates: () => states,
    drain: () => {
      const fresh = bytes - drained;
      drained = bytes;
      return fresh;
    },
  } as unknown as Hook;
  const nextSeq = Float64Array.of(1);
  const clock = new Clock();
  const lines: string[] = [];
  const place = { resource, cgroup: undefined, attributes: '' };
  const placed: number[] = [];
  const losing: boolean[] = [];
  const lineage = new Lineage({
    bootId: BOOT_ID,
    hookId: '1',
    nextSeq,
    losses: new Losses(),
    quietRange: () => ({ first: 0, last: 0 }),
    ancestor: () => undefined,
  });
  const journal = {
    append: (text: Buffer, length: number) => lines.push(text.toString('utf8', 0, length)),
    seal: () => {},
    takeRetired: () => retired.splice(0),
    takeRetiredUnknown: () => unknown.splice(0),
  } as unknown as Journal;
  const recorder = new Recorder({
    hook,
    hookId: '1',
    clock,
    nextSeq,
    drainIntervalMs: 1,
    decoder: createDecoder(buffer, 1, undefined),
    lineage,
    enricher: {
      reading,
      wait: () => wait,
      place({ seq }: ExecEvent) {
        placed.push(seq);
        return place;
      },
      hostPlace: place,
      noteLosses: (areThere: boolean) => losing.push(areThere),
    } as unknown as Enricher,
    lines: createLineWriter({
      bootId: BOOT_ID,
      hookId: '1',
      offset: () => clock.offset,
      self: { pid: 1, ppid: 0, uid: 0, gid: 0, comm: 'test', executable: '/test' },
    }),
    journal,
    numbers: new WrittenNumbers('1', nextSeq),
    kernelMisses: 0,
    onRecord: undefined,
    report: () => {},
  });
  return {
    recorder,
    lineage,
    nextSeq,
    lines,
    placed,
    losing,
    programs,
    committed,
    hook,
    journal,
    states,
  };
}

test('an unreadable event is recorded before an exec that waits, because a checkpoint counts it', async () => {
  const { recorder, nextSeq, lines } = recorderOf(
    [craftExec({ seq: 1n, cause: { kind: NO_CAUSE } }), craftExec({ seq: 2n })],
    500,
  );
  assert.equal(await recorder.flush({ patient: true }), false);
  assert.equal(nextSeq[0], 2);
  assert.match(lines.join(''), /"vcml.loss.stage":"decode".*"vcml.loss.last_seq":1/);
  assert.equal(await recorder.flush(), true);
  assert.match(lines.join(''), /"vcml.seq":2/);
});

test('a line that is longer than the buffer of a batch is written whole', async () => {
  const resource = JSON.stringify({ 'host.name': 'x'.repeat(3 << 20) });
  const events = [1n, 2n, 3n].map((seq) => craftExec({ seq }));
  const { recorder, lines } = recorderOf(events, 0, [], undefined, resource);
  assert.equal(await recorder.flush(), true);
  const records = lines.join('').trimEnd().split('\n');
  assert.equal(records.length, 3);
  for (const [n, line] of records.entries()) {
    const record = JSON.parse(line);
    assert.equal(record.attributes['vcml.seq'], n + 1);
    assert.equal(JSON.stringify(record.resource), resource);
  }
});

for (const patient of [true, false])
  test(`a record follows the reading of files about its container, and lines before it do not wait, ${patient}`, async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let asked = 0;
    const { recorder, hook, lines } = recorderOf(
      [craftExec({ seq: 1n }), craftExec({ seq: 2n })],
      0,
      [],
      () => (++asked === 2 ? promise : undefined),
    );
    hook.touch = () => {
      if (asked < 2) return;
      assert.match(lines.join(''), /"vcml.seq":1,/);
      assert.doesNotMatch(lines.join(''), /"vcml.seq":2,/);
      resolve();
    };
    assert.equal(await recorder.flush({ patient }), true);
    assert.match(lines.join(''), /"vcml.seq":2,/);
  });

test('the enrichment sees the execs again that an earlier run has recorded', async () => {
  const events = [1n, 2n, 3n].map((seq) => craftExec({ seq }));
  const { recorder, nextSeq, lines, placed } = recorderOf(events);
  nextSeq[0] = 3;
  assert.equal(await recorder.flush(), true);
  assert.deepEqual(placed, [1, 2, 3]);
  assert.deepEqual(lines.join('').match(/"vcml.seq":\d+/g), ['"vcml.seq":3']);
});

test('while the disk does not take a batch, the kernel side is shown an agent', async () => {
  const { recorder, hook, journal, lines } = recorderOf([craftExec({ seq: 1n })]);
  const { append } = journal;
  journal.append = (text, length) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    hook.touch = resolve;
    return promise.then(() => append(text, length));
  };
  assert.equal(await recorder.flush(), true);
  assert.match(lines.join(''), /"vcml.seq":1,/);
});

test('a number that a CPU has lost at last is found although other CPUs are never idle', async () => {
  const events = Array.from({ length: MANY }, (_, n) => craftExec({ seq: BigInt(n + 1) }));
  const { recorder, hook, lines, states, losing } = recorderOf(events);
  const bytes = hook.drain() / MANY;
  let drained = 0;
  const whole = Buffer.from(hook.buffer);
  hook.positions = () => [drained, drained];
  hook.drain = () => {
    whole.copy(hook.buffer, 0, drained, drained + bytes);
    drained += bytes;
    return bytes;
  };
  states.writeBigUInt64LE(1n, cpuState.bytes + cpuState.lostSeq);
  for (let turn = 1; turn < MANY / 2; turn++) await recorder.turn();
  const text = lines.join('');
  assert.match(
    text,
    /"ring_buffer","vcml.loss.hook_id":"1","vcml.loss.cpu":1,"vcml.loss.first_seq":1,"vcml.loss.last_seq":1,/,
  );
  assert.equal(text.match(/"exec"/g)?.length, drained / bytes);
  // The enrichment knows of it before anything that may have followed it is read.
  assert.deepEqual([losing[0], losing.indexOf(true, 1)], [true, -1]);
});

test('deletions for space are recorded once, before the next events', async () => {
  const retired = { hookId: '1', cpu: 3, firstSeq: 10, lastSeq: 12, count: 3 };
  const { recorder, lines } = recorderOf([craftExec({ seq: 1n })], 0, [retired]);
  assert.equal(await recorder.flush(), true);
  const text = lines.join('');
  assert.match(
    text,
    /"vcml.loss.stage":"retention","vcml.loss.hook_id":"1","vcml.loss.cpu":3,"vcml.loss.first_seq":10,"vcml.loss.last_seq":12,"vcml.loss.count":3.*\n.*"vcml.seq":1,/,
  );
  assert.equal(await recorder.flush(), true);
  assert.equal(lines.join(''), text);
});

test('a deletion of unknown numbers is recorded once, with a hook and no numbers', async () => {
  const { recorder, lines } = recorderOf([craftExec({ seq: 1n })], 0, [], undefined, '{}', ['7']);
  assert.equal(await recorder.flush(), true);
  const text = lines.join('');
  assert.match(text, /"vcml.loss.stage":"retention","vcml.loss.hook_id":"7"}}\n.*"vcml.seq":1,/);
  assert.equal(await recorder.flush(), true);
  assert.equal(lines.join(''), text);
});

test('a deletion for space is recorded before the journal.stop, or by the next run', async () => {
  const range = { hookId: '1', cpu: 3, firstSeq: 10, lastSeq: 12, count: 3 };
  const retired: DeletedRange[] = [];
  const { recorder, lineage, lines } = recorderOf([craftExec({ seq: 1n })], 0, retired);
  assert.equal(await recorder.flush(), true);
  retired.push(range);
  assert.equal(await recorder.finish((now) => lineage.stop('kept', now)), true);
  const text = lines.join('');
  assert.match(text, /"action":"journal.loss".*"vcml.loss.stage":"retention".*\n.*"journal.stop"/);
  retired.push(range);
  assert.equal(await recorder.flush(), true);
  assert.equal(lines.join(''), text);
});

test('the kernel learns how many of the execs that it skipped are recorded, once they are', async () => {
  const { recorder, lines, programs, committed } = recorderOf([craftExec({ seq: 1n })]);
  assert.equal(await recorder.flush(), true);
  programs[0] = { name: 'on_exec', recursionMisses: 3 };
  recorder.addKernelMisses();
  assert.deepEqual(committed.at(-1), [2, 0]);
  assert.equal(await recorder.flush(), true);
  assert.match(lines.join(''), /"vcml.loss.stage":"kernel".*"vcml.loss.count":3/);
  assert.deepEqual(committed.at(-1), [2, 3]);
});
