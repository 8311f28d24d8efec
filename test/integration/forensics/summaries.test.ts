import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { report } from '../../../forensics/commands/report.ts';
import { Journals } from '../../../forensics/journals.ts';
import { execId, lines, sound } from '../../check/craft.ts';
import { Folder, segment, vcml } from '../../support/forensics.ts';

const folder = new Folder();
after(() => folder.close());
const journal = folder.journal(`journal/${segment(1)}`, lines(Object.values(sound())));

interface Row {
  readonly what: string;
  readonly details: Readonly<Record<string, unknown>>;
}

async function rowsOf(...args: readonly string[]): Promise<Row[]> {
  const { stdout } = await vcml(...args, '--output', 'json', journal);
  return JSON.parse(stdout) as Row[];
}

describe('gaps', () => {
  test('counts gaps by reason, and lists losses with their ranges', async () => {
    const rows = await rowsOf('gaps');
    const gaps = rows.filter(({ what }) => what === 'gaps').map(({ details }) => details);
    assert.deepEqual(
      gaps.map(({ reason, gaps: count, node }) => [reason, count, node]),
      [
        ['lost', 1, 'node'],
        ['predates_hook', 1, 'node'],
      ],
    );
    const [loss, ...more] = rows.filter(({ what }) => what === 'losses');
    assert.deepEqual(more, []);
    const { stage, records, cpu, first_seq: first, last_seq: last } = loss?.details ?? {};
    assert.deepEqual([stage, records, cpu, first, last], ['ring_buffer', 3, 0, 2, 4]);
  });

  test('lists only those silent times that are long enough', async () => {
    const silences = async (seconds: string) =>
      (await rowsOf('gaps', '--silence', seconds)).filter(({ what }) => what === 'silences');
    assert.equal((await silences('3600')).length, 0);
    const all = await silences('0');
    assert.equal(all.length, Object.keys(sound()).length - 1);
    const lost = all.filter(({ details }) => details.because === 'records were lost');
    assert.equal(lost.length, 1, 'a silence that ends with a loss');
  });

  test('is readable in 80 columns', async () => {
    const { stdout } = await vcml('gaps', journal);
    assert.match(stdout, /predates_hook/);
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line);
  });
});

describe('stats', () => {
  test('counts records, executables and parents', async () => {
    const rows = await rowsOf('stats');
    const of = (name: string) => rows.filter(({ what }) => what === name).map((row) => row.details);
    assert.deepEqual(
      of('executables').map(({ executable, execs }) => [executable, execs]),
      [['/usr/bin/x', 4]],
    );
    const records = of('records').map(({ action, records: count }) => [action, count]);
    assert.deepEqual(records.toSorted(), [
      ['exec', 4],
      ['journal.loss', 1],
      ['journal.start', 1],
      ['journal.stop', 1],
    ]);
    const parents = of('parents').map(({ id, children }) => [id, children]);
    const expected = [execId(10, 100), execId(40, 103)].map((id) => [id.slice(0, 8), 1]);
    assert.deepEqual(parents, expected.toSorted());
  });
});

describe('report', () => {
  test('is one file with the record, its causes and its effects, which only its owner can read', async () => {
    const file = join(folder.path, 'report.html');
    const { code, stderr } = await vcml('report', execId(40, 103), '-o', file, journal);
    assert.equal(code, 0, stderr);
    const html = readFileSync(file, 'utf8');
    for (const id of [execId(40, 103), execId(50, 104)]) assert.ok(html.includes(id), id);
    assert.ok(!html.includes(`"${execId(20, 101)}"`), 'what has nothing to do with it');
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });
});

describe('the size of a report', () => {
  test('is limited, and stderr and the file say what is left out', async () => {
    const out = join(folder.path, 'few.html');
    const { code, stderr } = await vcml('report', '--limit', '2', '-o', out, journal);
    assert.equal(code, 0);
    assert.match(stderr, /^vcml: 2 records in .*\nvcml: \d+ more records are beyond --limit 2$/m);
    assert.match(readFileSync(out, 'utf8'), /more records are beyond --limit 2/);
  });

  test('is refused before it is written, with a remedy, if one page cannot hold it', async () => {
    const out = join(folder.path, 'none.html');
    const options = { out, limit: 50_000, selection: 'report' };
    const journals = await Journals.open([journal]);
    try {
      const { length } = readFileSync(journal, 'utf8').replaceAll('\n', '');
      await assert.rejects(
        report(journals, undefined, options, length - 1),
        /narrow the selection/,
      );
      assert.equal(existsSync(out), false);
      await report(journals, undefined, options, length);
      assert.ok(existsSync(out));
    } finally {
      journals.close();
    }
  });
});

test('--sql reads only what the other options select', async () => {
  const file = folder.journal('selected.jsonl', lines(Object.values(sound())));
  const count = async (...selection: readonly string[]) => {
    const sql = 'SELECT count(*) AS n FROM records';
    const { stdout } = await vcml('query', ...selection, '--sql', sql, '--output', 'jsonl', file);
    return JSON.parse(stdout).n;
  };
  const all = await count();
  const started = await count('--action', 'journal.start');
  assert.ok(started > 0 && started < all, `${started} of ${all}`);
  assert.equal(await count('--exe', '/nowhere/*'), 0);
});

test('an empty id, with which every id begins, is refused', async () => {
  const file = folder.journal('empty-id.jsonl', lines(Object.values(sound())));
  for (const args of [
    ['chain', '', file],
    ['tree', '--id', '', file],
    ['report', '--id', '', file],
  ]) {
    const { code, stderr } = await vcml(...args);
    assert.equal(code, 64);
    assert.match(stderr, /Must not be empty/);
  }
});

test('a wrong name in --sql is an error of one line that suggests the right one', async () => {
  const file = folder.journal('suggested.jsonl', lines(Object.values(sound())));
  for (const [sql, suggested] of [
    ['SELECT podd FROM execs', /^vcml: --sql: .*"podd" not found.* "pod", .*\n$/],
    ['SELECT pod FROM exec', /^vcml: --sql: .*exec does not exist! Did you mean "execs.*\n$/],
  ] as const) {
    const { code, stderr } = await vcml('query', '--sql', sql, file);
    assert.equal(code, 64);
    assert.match(stderr, suggested);
  }
});
