import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { CODES, type Code } from '../../../../forensics/audit/codes.ts';
import {
  type Draft,
  draft,
  exec,
  execId,
  HOOK,
  loss,
  sound,
  start,
  text,
} from '../../../check/craft.ts';
import { type Case, type Change, inOrder, reboot } from '../../../forensics/craft.ts';
import { audited, Folder, segment } from '../../../support/forensics.ts';
import { CONTENT_CASES } from './content-cases.ts';
import { JOURNAL_CASES } from './journal-cases.ts';
import { LINE_CASES } from './line-cases.ts';

/** The cases of every code but those that are about files and not about lines. */
const CASES: Readonly<Partial<Record<Code, Case>>> = {
  ...LINE_CASES,
  ...JOURNAL_CASES,
  ...CONTENT_CASES,
};

/**
 * indexes.test.ts has the cases of the second one, config.test.ts those of the third one, and
 * checkpoints.test.ts those of the others.
 */
const OF_FILES = new Set<Code>([
  'FILE_DAMAGED',
  'INDEX_WRONG',
  'CUSTOM_RULE',
  'BLOCK_CHANGED',
  'CHECKPOINT_FIELDS',
  'CHECKPOINT_MISSING',
  'CHECKPOINT_FORKED',
  'WITNESS_FORKED',
  'WITNESS_AHEAD',
  'WITNESS_CONTRADICTS',
  'NOT_WITNESSED',
]);

const folder = new Folder();
after(() => folder.close());

let count = 0;
function write(change: Change): string {
  const lines = change(sound()).map((one) => (typeof one === 'string' ? one : text(one)));
  const torn = lines.at(-1)?.startsWith('unfinished:')
    ? lines.pop()?.slice('unfinished:'.length)
    : '';
  count += 1;
  return folder.write(`${count}/${segment(1)}`, lines.map((line) => `${line}\n`).join('') + torn);
}

/** Returns the codes of all findings, each once and without notes. */
async function codesIn(path: string): Promise<string[]> {
  const found = (await audited(path)).filter(({ severity }) => severity !== 'NOTE');
  return [...new Set(found.map(({ code }) => code))];
}

test('a sound journal has no findings', async () => {
  assert.deepEqual(await codesIn(write((r) => inOrder(r))), []);
});

test('every hole is found, however many there are', async () => {
  const execs = 150_000;
  const path = write(() => [
    start([1]),
    ...Array.from({ length: execs }, (_, n) => exec(10 + n, 100 + n, 0, 2 * n + 2)),
  ]);
  const found = await audited(path);
  assert.deepEqual(new Set(found.map(({ code }) => code)), new Set(['SEQ_MISSING']));
  assert.equal(found.length, execs);
});

test('every code has a journal that has it alone, and a near miss', () => {
  const codes = (Object.keys(CODES) as Code[]).filter(
    (code) => !OF_FILES.has(code) && CODES[code][0] !== 'NOTE',
  );
  const complete = codes.filter((code) => {
    const { wrong = [], right = [] } = CASES[code] ?? {};
    return wrong.length > 0 && right.length > 0;
  });
  assert.deepEqual(complete, codes);
});

describe('FILE_DAMAGED', () => {
  const bytes = zstdCompressSync(
    Buffer.from(
      inOrder(sound())
        .map((one) => `${text(one)}\n`)
        .join(''),
    ),
  );

  test('is the only finding if something else than zstd is behind the lines', async () => {
    const path = folder.write(
      `damaged/${segment(1)}.zst`,
      Buffer.concat([bytes, Buffer.from('?')]),
    );
    assert.deepEqual(await codesIn(path), ['FILE_DAMAGED']);
  });
  test('is not found if an empty frame is behind the lines', async () => {
    const empty = zstdCompressSync(Buffer.alloc(0));
    const path = folder.write(`two-frames/${segment(1)}.zst`, Buffer.concat([bytes, empty]));
    assert.deepEqual(await codesIn(path), []);
  });
});

for (const [code, { wrong, right }] of Object.entries(CASES)) {
  describe(code, () => {
    for (const [n, change] of wrong.entries())
      test(`is the only finding (${n + 1})`, async () => {
        assert.deepEqual(await codesIn(write(change)), [code]);
      });
    for (const [n, change] of right.entries())
      test(`is not found in a near miss (${n + 1})`, async () => {
        assert.deepEqual(await codesIn(write(change)), []);
      });
  });
}

test('a finding names the file and the line, and blank lines count', async () => {
  const path = write((r) => ['', ...inOrder(r).slice(0, 3), '', '?', ...inOrder(r).slice(3)]);
  const [found, ...more] = await audited(path);
  assert.deepEqual(more, []);
  assert.deepEqual([found?.file, found?.line, found?.code], [path, 6, 'LINE_UNREADABLE']);
});

/** Returns the severities of missing causes that so many execs name, and that a loss explains. */
async function severitiesOf(causes: readonly number[], ...others: readonly Draft[]) {
  const path = write(() => [
    start([1, 1]),
    ...causes.map((cause, n) => exec(10 + n, 100 + n, 0, n + 1, { parent: execId(cause, 99) })),
    ...others,
  ]);
  const found = await audited(path);
  assert.ok(found.every(({ code }) => code === 'CML-AUDIT-R1-MISSING_PARENT'));
  return found.map(({ severity }) => severity);
}
const deletion = (first: number, last: number) =>
  loss(20, 1, 1, first, last, { 'vcml.loss.stage': 'retention' });

test('a cause that was deleted for space is explained and is a note', async () => {
  assert.deepEqual(await severitiesOf([5], deletion(1, 4)), ['NOTE']);
});

test('a deletion of unknown numbers explains any number of missing causes', async () => {
  const unknown = draft(20, 'journal.loss', 1, {
    'vcml.loss.stage': 'retention',
    'vcml.loss.hook_id': String(HOOK),
  });
  assert.deepEqual(await severitiesOf([5, 6, 7], unknown), ['NOTE', 'NOTE', 'NOTE']);
});

test('only as many missing causes are explained as records were deleted', async () => {
  const severities = await severitiesOf([5, 6, 5, 7, 5], deletion(1, 2));
  assert.deepEqual(severities, ['NOTE', 'NOTE', 'NOTE', 'FAIL', 'NOTE']);
});

test('deleted records that are in the inputs explain no missing cause', async () => {
  const kept = [exec(15, 120, 1, 1), exec(16, 121, 1, 2)];
  assert.deepEqual(await severitiesOf([5], ...kept, deletion(1, 2)), ['FAIL']);
  assert.deepEqual(await severitiesOf([5], ...kept, deletion(1, 3)), ['NOTE']);
});

test('of a hook that began before the inputs, as many causes are explained as there were numbers', async () => {
  const exec3 = (n: number) => exec(10 + n, 100 + n, 0, 2 + n, { parent: execId(n, 99) });
  const begun = () => [start([3, 1], 'resumed'), exec3(1), exec3(2), exec3(3)];
  const severities = async (path: string) => (await audited(path)).map(({ severity }) => severity);
  assert.deepEqual(await severities(write(begun)), ['NOTE', 'NOTE', 'FAIL']);
  // Without the start, nobody knows how many CPUs there are.
  assert.deepEqual(await severities(write(() => begun().slice(1))), ['NOTE', 'NOTE', 'NOTE']);
});

test('a run that began in a segment without a line does not count towards the next run', async () => {
  const lines = inOrder(sound()).map((one) => text(one));
  const [, before] = reboot(undefined);
  folder.write(`empty-first/${segment(1)}`, '');
  folder.journal(`empty-first/${segment(2)}`, [text(before), ...lines]);
  assert.deepEqual(await codesIn(`${folder.path}/empty-first`), []);
});
