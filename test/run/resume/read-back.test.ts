import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Losses } from '../../../agent/lineage/losses.ts';
import { readBack } from '../../../agent/run/resume/read-back.ts';
import type { LiveHook } from '../../../agent/run/resume/read-hook.ts';
import { segmentName } from '../../support/journal/segment-name.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { exec, line, loss, start } from './lines.ts';

const LIVE: LiveHook = { hookId: '5', readSeq: [] };
const OTHER: LiveHook = { hookId: '9', readSeq: [] };

/** A journal of these segments, from 2 on; segment 1 is damaged and must not be read. */
function journalOf(t: TestContext, ...segments: readonly (readonly string[])[]): string {
  const dir = join(temporaryFolder(t), 'journal');
  mkdirSync(dir);
  writeFileSync(join(dir, `${segmentName(1)}.zst`), 'damaged');
  for (const [n, lines] of segments.entries()) {
    const file = join(dir, segmentName(n + 2));
    writeFileSync(file, lines.join(''));
    if (n < segments.length - 1) execFileSync('zstd', ['-q1', '--rm', file]);
  }
  return dir;
}

async function found(dir: string, live: LiveHook) {
  const { nextSeq, losses, kernelMisses, started } = await readBack(
    dir,
    undefined,
    live,
    assert.fail,
  );
  return { nextSeq, losses: losses.toJSON(), kernelMisses, started: [...started] };
}

const NOTHING_MORE = { kernelMisses: 0, started: [] };

test('the attached hook is read back to its beginning, and no further', async (t) => {
  const dir = journalOf(
    t,
    [start('attached', [1, 1]), exec(0, 1), loss('quiet', 0, 2, 3)],
    [exec(1, 1), start('resumed', [4, 2]), exec(0, 4)],
  );
  const expected = { ...NOTHING_MORE, nextSeq: [5, 2], losses: [[2, 3]] };
  assert.deepEqual(await found(dir, LIVE), expected);
});

test('lines of another hook end what is read back, also without an attached start', async (t) => {
  const dir = journalOf(t, [start('attached', [8], '4'), start('upgraded', [1]), exec(0, 1)]);
  assert.deepEqual((await found(dir, LIVE)).nextSeq, [2]);
});

test('of a former hook the last start is enough', async (t) => {
  const dir = journalOf(
    t,
    [start('attached', [1, 1]), exec(0, 1), loss('quiet', 0, 2, 3)],
    [exec(1, 1), start('resumed', [4, 2]), exec(0, 4), loss('quiet', 0, 5, 6)],
  );
  const expected = { ...NOTHING_MORE, nextSeq: [7, 2], losses: [[5, 6]] };
  assert.deepEqual(await found(dir, OTHER), expected);
});

test('of a former hook without a start, no more than the last 128 MiB are read', async (t) => {
  const padding = 'x'.repeat(1 << 20);
  const large = (seq: number) =>
    line('exec', { padding, 'vcml.cpu': 0, 'vcml.seq': seq, 'vcml.more': 0 });
  const numbers = Array.from({ length: 128 }, (_, n) => n + 1);
  const dir = journalOf(t, numbers.map(large), [exec(0, 129)]);
  assert.deepEqual((await found(dir, OTHER)).nextSeq, [130]);
});

test('where the kernel knows the numbers, losses, skipped execs and starts are searched for alone', async (t) => {
  const misses = { 'vcml.loss.stage': 'kernel', 'vcml.loss.hook_id': '5', 'vcml.loss.count': 4 };
  const entry = `${JSON.stringify({
    action: 'exec',
    resource: { 'container.id': 'c' },
    attributes: { 'vcml.hook.id': '5', 'vcml.entry': 'start' },
  })}\n`;
  const dir = journalOf(
    t,
    [start('attached', [1, 1]), exec(0, 1), loss('ring_buffer', 0, 2, 3), exec(1, 1)],
    [exec(1, 2), line('journal.loss', misses), entry, exec(0, 4)],
    [exec(0, 5), exec(0, 6), exec(1, 3)],
  );
  const expected = { nextSeq: [7, 4], losses: [[2, 3]], kernelMisses: 4, started: ['c'] };
  for (const readSeq of [[], [5, 2], [6, 3], [9, 9]])
    assert.deepEqual(await found(dir, { hookId: '5', readSeq }), expected, `${readSeq}`);
});

test('a segment of another hook ends what is read back, also while only losses are searched for', async (t) => {
  const dir = journalOf(t, [exec(0, 7).replaceAll('"5"', '"4"')], [exec(0, 1)], [exec(0, 2)]);
  assert.deepEqual((await found(dir, { hookId: '5', readSeq: [2] })).nextSeq, [3]);
});

test('an old number in a record of a deletion is no proof that the kernel knows the numbers before it', async (t) => {
  const dir = journalOf(
    t,
    [start('attached', [1]), exec(0, 1), exec(0, 2)],
    [exec(0, 3), exec(0, 4)],
    [loss('retention', 0, 1, 1)],
  );
  assert.deepEqual((await found(dir, { hookId: '5', readSeq: [2] })).nextSeq, [5]);
});

test('what an upgraded hook has skipped is counted from its start', async (t) => {
  const misses = { 'vcml.loss.stage': 'kernel', 'vcml.loss.hook_id': '5', 'vcml.loss.count': 4 };
  const dir = journalOf(t, [
    start('attached', [1]),
    line('journal.loss', misses),
    start('resumed', [1]),
    line('journal.loss', misses),
    start('upgraded', [1]),
    line('journal.loss', misses),
  ]);
  assert.equal((await found(dir, LIVE)).kernelMisses, 4);
});

test('while a long journal is read back, the event loop keeps turning', async (t) => {
  const lines = Array.from({ length: 100_000 }, (_, n) => exec(n % 4, 1 + (n >> 2)));
  const dir = journalOf(t, [start('attached', [1, 1, 1, 1]), ...lines], lines, [exec(0, 25_001)]);
  let turns = 0;
  let isRead = false;
  const reading = found(dir, LIVE).finally(() => {
    isRead = true;
  });
  for (; !isRead; turns++) await turn();
  assert.deepEqual((await reading).nextSeq, [25_002, 25_001, 25_001, 25_001]);
  assert.ok(turns > 20, `${turns} turns of the event loop`);
});

const FORMER = '4';
const former = (text: string) =>
  text.replaceAll('"5"', `"${FORMER}"`).replaceAll('"boot"', '"before"');
const reboot = (bootId: string) =>
  line('journal.loss', { 'vcml.loss.stage': 'reboot', 'vcml.loss.boot_id': bootId });
const removal = (hookId: string) =>
  line('journal.loss', { 'vcml.loss.stage': 'kernel', 'vcml.loss.hook_id': hookId });
const ENDED = [
  former(start('attached', [1, 1])),
  former(exec(0, 1)),
  former(loss('quiet', 0, 2, 3)),
  former(exec(1, 1)),
];

/** The hooks whose ends are not recorded, each with its boot and its numbers, the oldest first. */
async function unrecorded(dir: string, live: LiveHook): Promise<unknown[]> {
  const { before } = await readBack(dir, undefined, live, assert.fail);
  return before.map(({ bootId, hookId, nextSeq }) => [bootId, hookId, nextSeq]);
}

for (const live of [LIVE, OTHER])
  for (const [what, lines, expected] of [
    ['its start alone', [start('attached', [1, 1])], true],
    ['several starts', [start('attached', [1, 1]), start('resumed', [1, 1])], true],
    ['the end of another boot', [start('attached', [1, 1]), reboot('other')], true],
    ['the end of that boot', [start('attached', [1, 1]), reboot('before')], false],
    ['the end of that hook', [start('attached', [1, 1]), removal(FORMER)], false],
    ['an exec', [start('attached', [1, 1]), exec(0, 1)], false],
    ['a loss of its own', [start('attached', [1, 1]), loss('quiet', 0, 1, 2)], false],
  ] as const)
    test(`the hook before is read ${expected ? 'too' : 'no more'} if the ${live === LIVE ? 'attached' : 'last'} hook has written ${what}`, async (t) => {
      const found = expected ? [['before', FORMER, [4, 2]]] : [];
      for (const segments of [
        [[...ENDED, ...lines]],
        [ENDED, lines],
        [ENDED.slice(0, 2), ENDED.slice(2), lines],
        [ENDED, ...lines.map((one) => [one])],
      ])
        assert.deepEqual(await unrecorded(journalOf(t, ...segments), live), found);
    });

test('of several hooks that have written their starts alone, each is read, the oldest first', async (t) => {
  const dir = journalOf(t, ENDED, [start('attached', [1, 1], '6')], [start('attached', [1], '7')]);
  assert.deepEqual(await unrecorded(dir, { hookId: '7', readSeq: [] }), [
    ['before', FORMER, [4, 2]],
    ['boot', '6', [1, 1]],
  ]);
});

test('a line that is no record does not hide the hook before, and is reported', async (t) => {
  const dir = journalOf(t, ENDED, ['noise\n', start('attached', [1, 1]), '{"torn\n']);
  const problems: string[] = [];
  const note = ({ message }: Error) => problems.push(message);
  const { before } = await readBack(dir, undefined, LIVE, note);
  assert.deepEqual(
    before.map(({ hookId }) => hookId),
    [FORMER],
  );
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? '', /3\.jsonl: 2 lines are no records, and are skipped$/);
});

test('of many hooks that have written their starts alone, no segment is read twice', async (t) => {
  const hooks = Array.from({ length: 1000 }, (_, n) => `${n + 100}`);
  const starts = hooks.map((hook) => start('attached', [1], hook));
  const dir = journalOf(t, ENDED, ['noise\n', ...starts.slice(0, 500)], starts.slice(500));
  const problems: Error[] = [];
  const live = { hookId: hooks.at(-1) ?? '', readSeq: [] };
  const { before } = await readBack(dir, undefined, live, (error) => problems.push(error));
  assert.deepEqual(
    before.map(({ hookId }) => hookId),
    [FORMER, ...hooks.slice(0, -1)],
  );
  assert.equal(problems.length, 1);
});

test('a hook that was detached in order has no end to record', async (t) => {
  const stop = former(line('journal.stop', { 'vcml.hook.state': 'detached' }));
  const dir = journalOf(t, [...ENDED, stop], [start('attached', [1, 1])]);
  assert.deepEqual(await unrecorded(dir, LIVE), []);
});

test('of the hook before, a checkpoint of it is enough', async (t) => {
  const dir = journalOf(t, ENDED, [former(exec(1, 7)), start('attached', [1, 1])]);
  const checkpoint = {
    bootId: 'before',
    hookId: FORMER,
    detached: false,
    attachedAt: '3',
    nextSeq: [9, 5],
    losses: new Losses(),
    kernelMisses: 0,
    started: [],
    position: { segment: 3, offset: 0 },
  };
  writeFileSync(join(dir, `${segmentName(2)}.zst`), 'damaged, and not needed');
  const { before } = await readBack(dir, checkpoint, OTHER, assert.fail);
  assert.deepEqual(
    before.map(({ nextSeq, attachedAt }) => [nextSeq, attachedAt]),
    [[[9, 8], '3']],
  );
});
