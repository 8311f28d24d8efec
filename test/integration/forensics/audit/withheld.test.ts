import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Draft, exec, execId, lines, sound, start } from '../../../check/craft.ts';
import { withheld } from '../../../forensics/craft.ts';
import { logRecord, otlpLine } from '../../../forensics/otlp.ts';
import { audited, Folder, segment, vcml } from '../../../support/forensics.ts';

const folder = new Folder();
after(() => folder.close());

let count = 0;
/** Writes what a collector received. */
function collected(...records: readonly Draft[]): string {
  count += 1;
  return folder.write(`${count}.json`, `${otlpLine(records.map(logRecord))}\n`);
}

const found = async (...paths: readonly string[]) =>
  (await audited(...paths)).map(({ severity, code }) => `${severity} ${code}`);

/** A start as an agent of this version of the format writes it. */
function begin(version: number): Draft {
  const record = start([1, 1]);
  record.attributes['vcml.format.version'] = version;
  return record;
}

/** The sound journal without its root, which a rule withheld. */
function ruled(version: number): Draft[] {
  const { start: _, root: __, ...rest } = sound();
  return [begin(version), ...Object.values(rest)];
}

test('what a collector received is sound together with what rules withheld', async () => {
  assert.deepEqual(await found(collected(...ruled(2), withheld(0, ['1-1']))), []);
});

test('a repeat that cuts withheld numbers otherwise is sound', async () => {
  const rest = [exec(70, 107, 0, 9, { parent: execId(50, 104) })];
  const path = collected(
    begin(2),
    exec(50, 104, 0, 5, { parent: execId(10, 100) }),
    withheld(0, ['1-3']),
    withheld(0, ['1-4', '6-7']),
    withheld(0, ['1-3']),
    ...rest,
    withheld(0, ['6-8']),
  );
  assert.deepEqual(await found(path), []);
});

test('a record that was withheld and is here is a note', async () => {
  const path = collected(begin(2), exec(10, 100, 0, 1), exec(20, 101, 0, 2), withheld(0, ['2-3']));
  const [note, ...more] = await audited(path);
  assert.deepEqual(more, []);
  assert.equal(`${note?.severity} ${note?.code}`, 'NOTE WITHHELD_PRESENT');
  assert.match(note?.message ?? '', /; cpu 0: 2 to 3$/);
  const near = collected(begin(2), exec(10, 100, 0, 1), exec(20, 101, 0, 2), withheld(0, ['3-4']));
  assert.deepEqual(await found(near), []);
});

test('the journal and what its collector received are sound together', async () => {
  const journal = folder.journal(`both/${segment(1)}`, lines(Object.values(sound())));
  const [, ...rest] = ruled(1);
  const path = collected(sound().start, ...rest, withheld(0, ['1-1']));
  assert.deepEqual(await found(journal, path), ['NOTE WITHHELD_PRESENT']);
});

test('without a report, a hole is a failure, also if the agent’s format has reports', async () => {
  assert.deepEqual(await found(collected(...ruled(2))), [
    'FAIL CML-AUDIT-R1-MISSING_PARENT',
    'FAIL SEQ_MISSING',
    'FAIL RUN_COUNTS',
  ]);
});

test('what a collector received from an agent of format 1 cannot be judged where it has holes', async () => {
  assert.deepEqual(await found(collected(...ruled(1))), [
    'WARN CML-AUDIT-R1-MISSING_PARENT',
    'WARN SEQ_MISSING',
    'WARN RUN_COUNTS',
  ]);
});

test('in a journal, a hole is a failure, whatever its format', async () => {
  for (const version of [1, 2]) {
    const path = folder.journal(`v${version}/${segment(1)}`, lines(ruled(version)));
    assert.deepEqual(await found(path), [
      'FAIL CML-AUDIT-R1-MISSING_PARENT',
      'FAIL SEQ_MISSING',
      'FAIL RUN_COUNTS',
    ]);
  }
});

test('sound journals of formats 1 and 2 have no findings', async () => {
  for (const version of [1, 2]) {
    const { start: _, ...rest } = sound();
    const records = [begin(version), ...Object.values(rest)];
    assert.deepEqual(await found(collected(...records)), []);
    const path = folder.journal(`sound${version}/${segment(1)}`, lines(records));
    assert.deepEqual(await found(path), []);
  }
});

test('gaps, stats, a view and a remark say how many records rules withheld, each once', async () => {
  const reports = [withheld(0, ['1-1', '7-8']), withheld(0, ['7-9']), withheld(1, ['7-7'])];
  const path = collected(...ruled(2), ...reports);
  for (const command of ['gaps', 'stats']) {
    const { stdout } = await vcml(command, '--output', 'jsonl', path);
    const rows = stdout.split('\n').filter((line) => line.includes('"what":"withheld"'));
    assert.deepEqual(
      rows.map((row) => JSON.parse(row).details.records),
      [5],
    );
  }
  const { stderr } = await vcml('query', '--limit', '1', path);
  assert.match(stderr, /^vcml: rules withheld 5 records from the export$/m);
  const { stdout } = await vcml(
    'query',
    '--output',
    'csv',
    '--sql',
    'SELECT cpu, first_seq, last_seq FROM withheld ORDER BY ALL',
    path,
  );
  assert.equal(stdout.trim().split(/\s+/).slice(1).join(' '), '0,1,1 0,7,8 0,7,9 1,7,7');
});

test('where nothing is withheld, no answer mentions it', async () => {
  const path = collected(...Object.values(sound()));
  for (const command of ['gaps', 'stats', 'query']) {
    const { stdout, stderr } = await vcml(command, path);
    assert.doesNotMatch(stdout + stderr, /withheld/);
  }
});
