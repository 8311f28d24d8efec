import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Lineage } from '../../agent/lineage/lineage.ts';
import { Losses } from '../../agent/lineage/losses.ts';
import { createIds } from '../../record/ids.ts';
import type { CausalRecord, Cause, ExecEvent, Invocation, Loss, Uuid } from '../../record/types.ts';
import { uuidText } from '../../record/uuid.ts';
import { BOOT_ID } from '../support/ids.ts';

const HOOK_ID = '81000000000000';
const NOW = { seconds: 90_000, nanos: 5 };
const ids = createIds(BOOT_ID);
const INVOCATION = {} as Invocation; // lineage does not read it
const ANCESTOR: Cause = { kind: 'ancestor', pid: 1, startTime: { seconds: 0, nanos: 10 } };

/** An exec whose boot time and pid follow from its CPU and number. */
function execOf(cpu: number, seq: number, cause: Cause = ANCESTOR): ExecEvent {
  const pid = cpu * 1000 + seq;
  return {
    kind: 'exec',
    cpu,
    seq,
    bootTime: bootTimeOf(cpu, seq),
    cause,
    pid,
    ppid: 1,
    vpid: pid,
    startTime: bootTimeOf(cpu, seq),
    invocation: INVOCATION,
  };
}

function bootTimeOf(cpu: number, seq: number) {
  return { seconds: 81_000 + seq, nanos: cpu };
}

/** The exec with this number, as the cause of another. */
function causeOf(cpu: number, seq: number): Cause {
  return { kind: 'record', bootTime: bootTimeOf(cpu, seq), pid: cpu * 1000 + seq, cpu, seq };
}

function idOf(cpu: number, seq: number): Uuid {
  return ids.exec(bootTimeOf(cpu, seq), cpu * 1000 + seq);
}

interface Given {
  readonly next?: readonly number[];
  readonly losses?: Losses;
  readonly quiet?: readonly [cpu: number, first: number, last: number];
}

function lineageOf({ next = [1, 1], losses = new Losses(), quiet }: Given = {}) {
  const nextSeq = Float64Array.from(next);
  const out: CausalRecord[] = [];
  const lineage = new Lineage({
    bootId: BOOT_ID,
    hookId: HOOK_ID,
    nextSeq,
    losses,
    quietRange: (cpu) =>
      quiet?.[0] === cpu ? { first: quiet[1], last: quiet[2] } : { first: 0, last: 0 },
    ancestor: (pid) => (pid === 1 ? { comm: 'init' } : undefined),
  });
  return {
    lineage,
    nextSeq,
    out,
    exec: (...event: Parameters<typeof execOf>) => lineage.exec(execOf(...event), NOW, out),
    unreadable: (cpu?: number, seq?: number) =>
      lineage.unreadable(
        {
          kind: 'unreadable',
          why: 'test',
          stage: 'decode',
          ...(cpu === undefined ? {} : { cpu, seq: seq ?? 0 }),
        },
        NOW,
        out,
      ),
  };
}

/** Records as short words: `0:5<1:3` linked, `0:5!lost` a gap, `ring_buffer 0:2-4` a loss. */
function words(records: readonly CausalRecord[]): string[] {
  return records.map((record) => {
    if (record.action === 'journal.loss') return lossWord(record.loss);
    if (record.action !== 'exec') return record.action;
    const { event, parentCause, gap } = record;
    const own = `${event.cpu}:${event.seq}`;
    assert.deepEqual(record.id, idOf(event.cpu, event.seq));
    assert.equal(parentCause === null, gap !== undefined);
    if (gap !== undefined) return `${own}!${gap.reason}`;
    const { cause } = event;
    assert.ok(cause.kind === 'record');
    assert.deepEqual(parentCause, idOf(cause.cpu, cause.seq));
    return `${own}<${cause.cpu}:${cause.seq}`;
  });
}

function lossWord({ stage, cpu, firstSeq, lastSeq, count, hookId }: Loss): string {
  assert.equal(hookId, HOOK_ID);
  if (firstSeq === undefined || lastSeq === undefined) return `${stage} ${count}`;
  assert.equal(count, lastSeq - firstSeq + 1);
  return `${stage} ${cpu}:${firstSeq}-${lastSeq}`;
}

test('an exec is linked to its cause, on its own CPU and on another', () => {
  const { exec, out } = lineageOf();
  exec(0, 1);
  exec(0, 2, causeOf(0, 1));
  exec(1, 1, causeOf(0, 2));
  exec(0, 3, causeOf(1, 1));
  assert.deepEqual(words(out), ['0:1!predates_hook', '0:2<0:1', '1:1<0:2', '0:3<1:1']);
});

test('an ancestor that predates the hook is named, with its executable if it is known', () => {
  const { exec, out } = lineageOf();
  const other: Cause = { kind: 'ancestor', pid: 9, startTime: { seconds: 3, nanos: 4 } };
  exec(0, 1);
  exec(0, 2, other);
  const gaps = out.map((record) => record.action === 'exec' && record.gap);
  assert.deepEqual(gaps, [
    {
      reason: 'predates_hook',
      pid: 1,
      startTime: { seconds: 0, nanos: 10 },
      ancestor: { comm: 'init' },
    },
    { reason: 'predates_hook', pid: 9, startTime: { seconds: 3, nanos: 4 }, ancestor: undefined },
  ]);
});

test('a process without an entry in the table is a gap, and its child is not', () => {
  const { exec, out } = lineageOf();
  exec(0, 1, { kind: 'untracked' });
  exec(0, 2, causeOf(0, 1));
  assert.deepEqual(words(out), ['0:1!untracked', '0:2<0:1']);
});

test('a jump in the numbers of a CPU is a loss before the record that proves it', () => {
  const { exec, out } = lineageOf();
  exec(0, 1);
  exec(0, 5);
  exec(0, 6);
  exec(0, 8);
  assert.deepEqual(words(out), [
    '0:1!predates_hook',
    'ring_buffer 0:2-4',
    '0:5!predates_hook',
    '0:6!predates_hook',
    'ring_buffer 0:7-7',
    '0:8!predates_hook',
  ]);
});

test('the first missing number is 1, or the expected number after a resumption', () => {
  const fresh = lineageOf();
  fresh.exec(1, 3);
  assert.deepEqual(words(fresh.out), ['ring_buffer 1:1-2', '1:3!predates_hook']);
  const resumed = lineageOf({ next: [1, 50] });
  resumed.exec(1, 52);
  assert.deepEqual(words(resumed.out), ['ring_buffer 1:50-51', '1:52!predates_hook']);
});

test('an unseen cause on another CPU is lost with all unseen numbers before it, and the loss comes first', () => {
  const { exec, out, nextSeq } = lineageOf();
  exec(1, 1);
  exec(0, 1, causeOf(1, 4));
  assert.deepEqual(words(out), ['1:1!predates_hook', 'ring_buffer 1:2-4', '0:1!lost']);
  const [, , child] = out;
  assert.deepEqual(child?.action === 'exec' && child.gap, {
    reason: 'lost',
    lostCause: uuidText(idOf(1, 4)),
  });
  exec(1, 5);
  assert.deepEqual(words(out).slice(3), ['1:5!predates_hook'], 'reported once');
  assert.deepEqual([...nextSeq], [2, 6]);
});

test('a cause in the jump that its own child reveals is lost', () => {
  const { exec, out } = lineageOf();
  exec(0, 3, causeOf(0, 2));
  assert.deepEqual(words(out), ['ring_buffer 0:1-2', '0:3!lost']);
});

test('a child of a lost cause is a gap, however late it comes, and the chain continues below it', () => {
  const { exec, out } = lineageOf();
  exec(0, 4);
  exec(0, 5);
  exec(1, 1, causeOf(0, 2));
  exec(1, 2, causeOf(0, 4));
  exec(1, 3, causeOf(1, 1));
  exec(1, 4, causeOf(0, 3));
  assert.deepEqual(words(out).slice(3), ['1:1!lost', '1:2<0:4', '1:3<1:1', '1:4!lost']);
});

test('losses of an earlier run stay losses', () => {
  const { exec, out } = lineageOf({ next: [10, 10], losses: new Losses([[], [4, 6]]) });
  exec(0, 10, causeOf(1, 3));
  exec(0, 11, causeOf(1, 4));
  exec(0, 12, causeOf(1, 6));
  exec(0, 13, causeOf(1, 7));
  assert.deepEqual(words(out), ['0:10<1:3', '0:11!lost', '0:12!lost', '0:13<1:7']);
});

test('numbers that the journal already has are skipped', () => {
  const { exec, out, lineage } = lineageOf({ next: [4, 1] });
  for (const seq of [1, 2, 3, 4]) exec(0, seq);
  assert.deepEqual(words(out), ['0:4!predates_hook']);
  assert.equal(lineage.counts.records, 1);
});

test('numbers of quiet times are distinguished from those that did not fit the ring', () => {
  const cases: readonly [seq: number, quiet: readonly [number, number], losses: string[]][] = [
    [10, [1, 9], ['quiet 0:1-9']],
    [10, [4, 9], ['ring_buffer 0:1-3', 'quiet 0:4-9']],
    [10, [1, 4], ['quiet 0:1-4', 'ring_buffer 0:5-9']],
    [10, [4, 6], ['ring_buffer 0:1-3', 'quiet 0:4-6', 'ring_buffer 0:7-9']],
    [10, [5, 5], ['ring_buffer 0:1-4', 'quiet 0:5-5', 'ring_buffer 0:6-9']],
    [10, [10, 12], ['ring_buffer 0:1-9']],
    [10, [5, 30], ['ring_buffer 0:1-4', 'quiet 0:5-9']],
    [10, [0, 0], ['ring_buffer 0:1-9']],
  ];
  for (const [seq, [first, last], losses] of cases) {
    const { exec, out } = lineageOf({ quiet: [0, first, last] });
    exec(0, seq);
    assert.deepEqual(words(out), [...losses, `0:${seq}!predates_hook`], `${first}-${last}`);
  }
});

test('a child of a cause from a quiet time is a gap', () => {
  const { exec, out } = lineageOf({ quiet: [1, 1, 3] });
  exec(0, 1, causeOf(1, 2));
  assert.deepEqual(words(out), ['quiet 1:1-2', '0:1!lost']);
});

test('an unreadable event is a loss of its number, and its children are gaps', () => {
  const { lineage, exec, unreadable, out } = lineageOf();
  exec(0, 1);
  unreadable(0, 2);
  exec(0, 3, causeOf(0, 2));
  unreadable(0, 6);
  unreadable(0, 7);
  lineage.settle(NOW, out);
  assert.deepEqual(words(out), [
    '0:1!predates_hook',
    'decode 0:2-2',
    '0:3!lost',
    'ring_buffer 0:4-5',
    'decode 0:6-7',
  ]);
});

test('alternating unreadable events of several CPUs are one range for each CPU', () => {
  const { lineage, unreadable, out } = lineageOf();
  for (let seq = 1; seq <= 5; seq++) for (const cpu of [0, 1]) unreadable(cpu, seq);
  lineage.settle(NOW, out);
  assert.deepEqual(words(out), ['decode 0:1-5', 'decode 1:1-5']);
});

test('an unreadable event without a number is a loss at once, and again with the jump that follows', () => {
  const { exec, unreadable, out } = lineageOf();
  exec(0, 1);
  unreadable();
  exec(0, 3);
  exec(0, 5);
  assert.deepEqual(words(out), [
    '0:1!predates_hook',
    'decode 1',
    'decode 0:2-2',
    '0:3!predates_hook',
    'ring_buffer 0:4-4',
    '0:5!predates_hook',
  ]);
});

test('an unreadable event with an impossible number changes no expected number', () => {
  const { exec, unreadable, out } = lineageOf({ next: [5, 1] });
  unreadable(0, 4); // an earlier run has recorded it
  unreadable(0, 0);
  unreadable(0, 2 ** 60);
  exec(0, 5);
  assert.deepEqual(words(out), ['decode 1', 'decode 1', '0:5!predates_hook']);
});

test('the last numbers that the kernel dropped are a loss even if no event follows', () => {
  const { lineage, exec, out, nextSeq } = lineageOf();
  exec(0, 1);
  lineage.reconcile(0, 1, NOW, out);
  lineage.reconcile(1, 0, NOW, out);
  assert.equal(out.length, 1);
  lineage.reconcile(0, 4, NOW, out);
  lineage.reconcile(0, 4, NOW, out);
  assert.deepEqual(words(out).slice(1), ['ring_buffer 0:2-4']);
  assert.equal(nextSeq[0], 5);
});

test('records about the journal have unique ids, counted through the run', () => {
  const { lineage, exec, out } = lineageOf({ next: [4, 1] });
  const start = lineage.start('1.2.3', 'resumed', NOW);
  exec(0, 6);
  const stop = lineage.stop('kept', NOW);
  const [loss] = out;
  assert.ok(loss?.action === 'journal.loss');
  const name = (text: string) => {
    const namespace = Buffer.from(BOOT_ID.replaceAll('-', ''), 'hex');
    return createHash('sha1').update(namespace).update(text).digest('hex').slice(0, 8);
  };
  assert.equal(start.id.slice(0, 8), name('90000000000005:journal.start:0'));
  assert.equal(loss.id.slice(0, 8), name('90000000000005:journal.loss:1'));
  assert.equal(stop.id.slice(0, 8), name('90000000000005:journal.stop:2'));
  assert.deepEqual(start.action === 'journal.start' && start.nextSeq, [4, 1]);
});

test('records, gaps by reason, losses and lost records are counted', () => {
  const { lineage, exec, unreadable, out } = lineageOf();
  exec(0, 1);
  exec(0, 4, causeOf(0, 2));
  exec(0, 5, { kind: 'untracked' });
  exec(0, 6, causeOf(0, 5));
  unreadable(0, 7);
  lineage.settle(NOW, out);
  lineage.lose({ stage: 'retention', hookId: HOOK_ID, cpu: 0, count: 1000 }, NOW, out);
  assert.deepEqual(lineage.counts, {
    records: 4,
    lost: 3,
    losses: 3,
    gaps: { predates_hook: 1, lost: 1, untracked: 1 },
  });
  const stop = lineage.stop('detached', NOW);
  assert.ok(stop.action === 'journal.stop');
  assert.deepEqual([stop.records, stop.gaps, stop.losses], [4, 3, 3]);
});
