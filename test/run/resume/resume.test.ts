import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { RunEvent } from '../../../agent/run/report.ts';
import type { LiveHook } from '../../../agent/run/resume/read-hook.ts';
import { readContinuity } from '../../../agent/run/resume/resume.ts';
import { segmentName } from '../../support/journal/segment-name.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { exec, line, loss } from './lines.ts';

const FIRST = [
  line('journal.start', { 'vcml.hook.next_seq': [1, 3] }),
  exec(0, 1),
  exec(1, 3),
  loss('ring_buffer', 0, 2, 4),
  exec(0, 5),
];
const SECOND = [exec(1, 4), loss('retention', 1, 1, 3), loss('decode', 1, 5, 6), exec(0, 6)];

/** A journal of two segments, the first one compressed, in a folder with these other files. */
function journalOf(t: TestContext, state?: string): string {
  const dir = temporaryFolder(t);
  const first = join(dir, segmentName(1));
  writeFileSync(first, FIRST.join(''));
  execFileSync('zstd', ['-q', '--rm', first]);
  writeFileSync(
    join(dir, '00000000000000000002.jsonl'),
    `${SECOND.join('')}{"action":"exec","attri`,
  );
  if (state !== undefined) writeFileSync(join(dir, 'state.json'), state);
  return dir;
}

const WHOLE = {
  bootId: 'boot',
  hookId: '5',
  detached: false,
  nextSeq: [7, 7],
  kernelMisses: 0,
  losses: [
    [2, 4],
    [5, 6],
  ],
};

const LIVE: LiveHook = { hookId: '5', readSeq: [] };
/** After a reboot, another hook is attached. */
const OTHER: LiveHook = { hookId: '9', readSeq: [] };

/** What is found; a segment that cannot be read fails the test. */
async function found(dir: string, live: LiveHook = LIVE) {
  const [known, reported] = await foundInDamaged(dir, live);
  assert.deepEqual(
    reported.filter((one) => one !== 'run.state_missing'),
    [],
  );
  return known;
}

/** What is found, and what is reported: events, and the segments that could not be read. */
async function foundInDamaged(dir: string, live: LiveHook = LIVE) {
  const reported: string[] = [];
  const { bootId, hookId, detached, nextSeq, losses, kernelMisses, attachedAt } =
    await readContinuity(dir, live, (one: RunEvent) => {
      const text = 'error' in one ? `${one.error}` : '';
      reported.push(/\d{20}\.jsonl\S*/.exec(text)?.[0] ?? one.event);
    });
  const known = { bootId, hookId, detached, nextSeq, losses, kernelMisses, attachedAt };
  return [JSON.parse(JSON.stringify(known)), reported] as const;
}

const CHECKPOINT = {
  bootId: 'boot',
  hookId: '5',
  detached: false,
  nextSeq: [6, 4],
  losses: [[2, 4]],
  kernelMisses: 3,
  position: { segment: 2, offset: 0 },
};

test('a journal without a checkpoint is read as a whole', async (t) => {
  assert.deepEqual(await found(journalOf(t)), WHOLE);
});

test('only the lines after a checkpoint are read', async (t) => {
  const dir = journalOf(t, JSON.stringify(CHECKPOINT));
  assert.deepEqual(await found(dir), { ...WHOLE, kernelMisses: 3 });
  writeFileSync(join(dir, `${segmentName(1)}.zst`), 'damaged, and not needed');
  assert.deepEqual(await found(dir), { ...WHOLE, kernelMisses: 3 });
});

test('when all programs were attached is known from a checkpoint, for its own hook', async (t) => {
  const attachedAt = '9007199254740993';
  const at = (state: object) => found(journalOf(t, JSON.stringify({ ...CHECKPOINT, ...state })));
  assert.equal((await at({ attachedAt })).attachedAt, attachedAt);
  assert.equal((await at({ attachedAt, hookId: '4' })).attachedAt, undefined);
  for (const damaged of ['', 'x', '-1', '0', '1'.repeat(20), 5])
    assert.equal((await at({ attachedAt: damaged })).attachedAt, undefined);
});

test('every position between two lines is a valid checkpoint', async (t) => {
  let offset = 0;
  const next = [6, 4];
  const losses: number[][] = [[2, 4]];
  for (const [n, text] of SECOND.entries()) {
    const position = { segment: 2, offset };
    const dir = journalOf(t, JSON.stringify({ ...CHECKPOINT, nextSeq: next, losses, position }));
    assert.deepEqual(await found(dir), { ...WHOLE, kernelMisses: 3 }, `before line ${n}`);
    offset += text.length;
    if (n === 0) next[1] = 5;
    if (n === 2) {
      next[1] = 7;
      losses.push([5, 6]);
    }
  }
});

const secondSegmentBytes = SECOND.join('').length + '{"action":"exec","attri'.length;

for (const [what, position] of [
  ['after the last segment', { segment: 3, offset: 0 }],
  ['after the end of the open segment', { segment: 2, offset: secondSegmentBytes + 1 }],
  ['after the end of a compressed one', { segment: 1, offset: FIRST.join('').length + 1 }],
] as const)
  test(`a checkpoint ${what} is invalid and removed, because the journal may grow past it`, async (t) => {
    const tooFar = { ...CHECKPOINT, nextSeq: [99, 99], position };
    const dir = journalOf(t, JSON.stringify(tooFar));
    assert.deepEqual(await found(dir), WHOLE);
    assert.ok(!existsSync(join(dir, 'state.json')));
  });

for (const [what, position] of [
  ['at the end of the open segment', { segment: 2, offset: secondSegmentBytes }],
  ['at the end of a compressed one', { segment: 1, offset: FIRST.join('').length }],
] as const)
  test(`a checkpoint ${what} is valid`, async (t) => {
    const dir = journalOf(t, JSON.stringify({ ...CHECKPOINT, position }));
    assert.equal((await found(dir)).kernelMisses, 3);
    assert.ok(existsSync(join(dir, 'state.json')));
  });

test('a checkpoint in a deleted segment is valid', async (t) => {
  const dir = journalOf(t, JSON.stringify({ ...CHECKPOINT, position: { segment: 1, offset: 5 } }));
  rmSync(join(dir, `${segmentName(1)}.zst`));
  assert.deepEqual(await found(dir), { ...WHOLE, kernelMisses: 3 });
});

test('a damaged segment is reported and skipped, with or without a checkpoint in it', async (t) => {
  const first = `${segmentName(1)}.zst`;
  const position = { segment: 1, offset: 5 };
  for (const [state, nextSeq, kernelMisses, events] of [
    [undefined, [7, 7], 0, ['run.state_missing']],
    [JSON.stringify({ ...CHECKPOINT, losses: [], nextSeq: [3, 9], position }), [7, 9], 3, []],
  ] as const) {
    const dir = journalOf(t, state);
    writeFileSync(join(dir, first), 'damaged');
    const rest = { ...WHOLE, nextSeq, kernelMisses, losses: [[], [5, 6]] };
    assert.deepEqual(await foundInDamaged(dir), [rest, [...events, first]]);
  }
});

test('if a system crash removed lines before a checkpoint, an older one on disk is enough', async (t) => {
  const beyond = { ...CHECKPOINT, nextSeq: [99, 99, 1], position: { segment: 3, offset: 9000 } };
  for (const state of [JSON.stringify(beyond), '', '{', undefined]) {
    const dir = journalOf(t, state);
    writeFileSync(join(dir, 'checkpoint.json'), JSON.stringify(CHECKPOINT));
    writeFileSync(join(dir, '00000000000000000003.jsonl'), exec(1, 7));
    writeFileSync(join(dir, `${segmentName(1)}.zst`), 'damaged, and not needed');
    for (const live of [LIVE, OTHER]) assert.deepEqual((await found(dir, live)).nextSeq, [7, 8]);
  }
});

test('if both checkpoints lie after the end of the journal, both are invalid and removed', async (t) => {
  const beyond = { ...CHECKPOINT, nextSeq: [99, 99], position: { segment: 3, offset: 9000 } };
  const dir = journalOf(t, JSON.stringify(beyond));
  writeFileSync(join(dir, 'checkpoint.json'), JSON.stringify(beyond));
  assert.deepEqual(await found(dir), WHOLE);
  assert.deepEqual(
    readdirSync(dir).filter((name) => name.endsWith('.json')),
    [],
  );
});

test('an argument that mentions a start is not a start', async (t) => {
  const dir = journalOf(t);
  const other = { args: ['"action":"journal.start"'], 'vcml.hook.state': 'attached' };
  writeFileSync(
    join(dir, '00000000000000000003.jsonl'),
    line('exec', { ...other, 'vcml.cpu': 0, 'vcml.seq': 7 }),
  );
  assert.deepEqual(await found(dir), { ...WHOLE, nextSeq: [8, 7] });
});

const DAMAGED = ['', '{', 'null', '7', '[]', '{}', '{"hookId":"5"}'].concat(
  [
    { ...CHECKPOINT, hookId: 5 },
    { ...CHECKPOINT, nextSeq: null },
    { ...CHECKPOINT, losses: {} },
    { ...CHECKPOINT, losses: [null] },
    { ...CHECKPOINT, losses: [['x', 2]] },
    { ...CHECKPOINT, losses: [[1]] },
    { ...CHECKPOINT, nextSeq: ['x'] },
    { ...CHECKPOINT, position: null },
    { ...CHECKPOINT, position: { segment: 2, offset: -1 } },
    { ...CHECKPOINT, position: { segment: 2, offset: 'x' } },
  ].map((state) => JSON.stringify(state)),
);

for (const state of DAMAGED)
  test(`a damaged checkpoint is invalid: ${state || 'empty'}`, async (t) => {
    assert.deepEqual(await found(journalOf(t, state)), WHOLE);
  });

test('another hook begins again at 1, and an orderly end is known', async (t) => {
  const dir = journalOf(t);
  const other = { 'vcml.hook.id': '8' };
  const lines = [
    line('journal.start', { ...other, 'vcml.hook.next_seq': [1] }),
    line('exec', { ...other, 'vcml.cpu': 0, 'vcml.seq': 1 }),
    line('journal.stop', { ...other, 'vcml.hook.state': 'detached' }),
  ];
  writeFileSync(join(dir, '00000000000000000003.jsonl'), lines.join(''));
  assert.deepEqual(await found(dir), {
    bootId: 'boot',
    hookId: '8',
    detached: true,
    nextSeq: [2],
    losses: [],
    kernelMisses: 0,
  });
});

test('the next number of a CPU is known even if all its records are deleted', async (t) => {
  const dir = journalOf(t);
  writeFileSync(join(dir, '00000000000000000003.jsonl'), loss('retention', 2, 3, 8));
  assert.deepEqual(await found(dir), { ...WHOLE, nextSeq: [7, 7, 9] });
});

test('lines that are not records are reported and skipped', async (t) => {
  const dir = journalOf(t);
  const lines = ['', 'noise', 'null', '7', '{"attributes":null}', '{"attributes":{}}'];
  writeFileSync(join(dir, '00000000000000000003.jsonl'), `${lines.join('\n')}\n${exec(0, 7)}`);
  const [known, reported] = await foundInDamaged(dir, LIVE);
  assert.deepEqual(known, { ...WHOLE, nextSeq: [8, 7] });
  assert.deepEqual(
    reported.filter((one) => one !== 'run.state_missing'),
    ['00000000000000000003.jsonl:'],
  );
});

test('an empty folder gives no continuity', async (t) => {
  const dir = temporaryFolder(t);
  assert.deepEqual(await found(dir), { detached: false, nextSeq: [], losses: [], kernelMisses: 0 });
});

test('started containers are known from the checkpoint and from the lines after it', async (t) => {
  const state = JSON.stringify({ ...CHECKPOINT, started: ['pod/a', 'b'] });
  const dir = journalOf(t, state);
  const start = (resource: object, more: object = {}) =>
    `${JSON.stringify({
      action: 'exec',
      resource,
      attributes: { 'vcml.hook.id': '5', 'vcml.boot.id': 'boot', 'vcml.entry': 'start', ...more },
    })}\n`;
  const id = 'e'.repeat(64);
  const lines = [
    start({ 'container.id': 'c', 'k8s.pod.uid': 'pod' }),
    start({ 'container.id': 'd' }),
    start({ 'container.id': 7 }),
    // The enrichment knows a container by its cgroup, which may name no pod.
    start(
      { 'container.id': id, 'k8s.pod.uid': 'pod' },
      { 'process.linux.cgroup': `4:memory:/k8s.io/${id}/nested` },
    ),
    start({ 'container.id': 'f' }, { 'process.linux.cgroup': '0::/a.service' }),
    // What a container makes below its own cgroup may have the name of another one.
    start(
      { 'container.id': 'web' },
      { 'process.linux.cgroup': `0::/lxc.payload.web/kubepods/pod${'0'.repeat(32)}/${id}` },
    ),
    start({}).replace('start', 'exec'),
    start({}, { 'vcml.unit': 'a.service', 'process.linux.cgroup': '0::/system.slice/a.service/x' }),
    // What a service makes below its own cgroup may have any name.
    start(
      {},
      { 'vcml.unit': 'b.service', 'process.linux.cgroup': `0::/b.service/docker-${id}.scope` },
    ),
    start({}, { 'vcml.unit': 'c.service', 'process.linux.cgroup': '0::/other.service' }),
    start({}, { 'vcml.unit': 'd.service' }),
  ];
  writeFileSync(join(dir, '00000000000000000003.jsonl'), lines.join(''));
  assert.deepEqual(
    [...(await readContinuity(dir, LIVE, () => {})).started],
    ['pod/a', 'b', 'pod/c', 'd', id, 'f', 'web', '/system.slice/a.service', '/b.service'],
  );
});

test('once too many containers have started, nobody says that the known ones are all', async (t) => {
  const state = JSON.stringify({ ...CHECKPOINT, started: ['old'] });
  const startOf = (id: string) =>
    `${JSON.stringify({
      action: 'exec',
      resource: { 'container.id': id },
      attributes: { 'vcml.hook.id': '5', 'vcml.boot.id': 'boot', 'vcml.entry': 'start' },
    })}\n`;
  for (const [count, isWhole] of [
    [1000, true],
    [6000, false],
  ] as const) {
    const dir = journalOf(t, state);
    const lines = Array.from({ length: count }, (_, n) => startOf(`${n}`));
    // In two segments, so that each of them has fewer.
    writeFileSync(join(dir, segmentName(3)), lines.slice(0, count / 2).join(''));
    writeFileSync(join(dir, segmentName(4)), lines.slice(count / 2).join(''));
    const { started, startedIsWhole } = await readContinuity(dir, LIVE, () => {});
    assert.equal(startedIsWhole, isWhole);
    assert.equal(started.has('old'), isWhole);
    assert.equal(started.has(`${count - 1}`), true);
  }
});

test('only a checkpoint of the same hook knows the containers that are older than it', async (t) => {
  const isWhole = async (dir: string) => (await readContinuity(dir, LIVE, () => {})).startedIsWhole;
  assert.equal(await isWhole(journalOf(t)), false);
  assert.equal(await isWhole(journalOf(t, JSON.stringify(CHECKPOINT))), true);
  assert.equal(await isWhole(journalOf(t, JSON.stringify({ ...CHECKPOINT, hookId: '4' }))), false);
});

test('a damaged line with an impossible CPU is ignored', async (t) => {
  const dir = journalOf(t);
  writeFileSync(
    join(dir, '00000000000000000003.jsonl'),
    [exec(2 ** 40, 7), loss('decode', 2 ** 40, 1, 2), exec(-1, 7), loss('decode', -1, 1, 2)].join(
      '',
    ),
  );
  assert.deepEqual(await found(dir), WHOLE);
});

test('a damaged line with an inexact number is ignored', async (t) => {
  const dir = journalOf(t);
  const lines = [
    exec(0, 2 ** 53),
    exec(0, 1e300),
    loss('decode', 0, 7, 2 ** 60),
    loss('decode', 0, 1e300, 9),
  ];
  writeFileSync(join(dir, '00000000000000000003.jsonl'), lines.join(''));
  assert.deepEqual(await found(dir), WHOLE);
});

test('a folder that cannot be listed is an error of the journal, and no bug', async (t) => {
  const dir = join(temporaryFolder(t), 'gone');
  await assert.rejects(found(dir), { code: 'JOURNAL_UNUSABLE', message: /ENOENT.*choose another/ });
});
