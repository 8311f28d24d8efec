import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { auditOf } from '../../../../forensics/commands/audit.ts';
import { Graph } from '../../../../forensics/graph.ts';
import { Journals } from '../../../../forensics/journals.ts';
import { exec, start, text } from '../../../check/craft.ts';
import { secondReading } from '../../../forensics/second-reader.ts';
import { Folder, segment, vcml } from '../../../support/forensics.ts';
import { execLine, NOT_RECORDS, RECORDS } from '../../../support/odd-lines.ts';
import { createSeeded, type Seeded } from '../../../support/scripted/seeded.ts';
import { startServer } from '../../../support/serve/server.ts';
import { followed } from '../cases/followed.ts';

const folder = new Folder();
after(() => folder.close());

const root = exec(10, 100, 0, 1);
/** Between sound lines, lines that are none, the last one of them without a line feed. */
const ODD = [
  text(start([1, 1])),
  text(root),
  ...NOT_RECORDS.flatMap(([, line], n) => [
    line,
    ...(RECORDS[n] === undefined ? [] : [RECORDS[n][1]]),
  ]),
];
const SKIPPED = `skipped ${NOT_RECORDS.length} lines that cannot be read`;
const path = folder.write(`odd/${segment(1)}`, `${ODD.join('\n')}\n`);
const there = secondReading(path);
const execIds = there.ids.slice(1);
const idOf = (line: string) => /"id":"([^"]+)"/.exec(line)?.[1] ?? '';

/** Returns the ids in what a command prints, in its order. */
function idsIn(output: string, stdout: string): string[] {
  const lines = stdout.split(/\r?\n/).filter((line) => line !== '');
  switch (output) {
    case 'json':
      return JSON.parse(stdout).map(({ id }: { id: string }) => id);
    case 'jsonl':
      return lines.map((line) => JSON.parse(line).id);
    case 'csv': {
      const [names = '', ...rows] = lines;
      const column = names.split(',').indexOf('id') - names.split(',').length;
      return rows.map((row) => row.split(',').at(column) ?? '');
    }
    default:
      return [...stdout.matchAll(/\b([0-9a-f]{8})\b(?!-)/g)].map(([, id = '']) => id);
  }
}

const shown = (output: string, ids: readonly string[]) =>
  output === 'text' ? ids.map((id) => id.slice(0, 8)) : [...ids];

describe('lines that only some readers take for records', () => {
  test('are what a second reader says that they are', () => {
    assert.equal(there.ids.length, 2 + RECORDS.length);
    assert.equal(there.lines - there.recordLines, NOT_RECORDS.length);
  });

  for (const output of ['text', 'json', 'jsonl', 'csv']) {
    test(`are in no answer, which says so: ${output}`, async () => {
      const answers: readonly (readonly [readonly string[], readonly string[]])[] = [
        [['query'], there.ids],
        [['query', '--sql', 'SELECT id FROM records ORDER BY "timestamp"'], there.ids],
        [['tree', '--no-collapse', '--exe', '*'], execIds],
        [['chain', idOf(text(root))], [idOf(text(root))]],
      ];
      for (const [command, ids] of answers) {
        const { code, stdout, stderr } = await vcml(...command, '--output', output, path);
        assert.equal(code, 3, `${command}: ${stderr}`);
        assert.match(stderr, new RegExp(SKIPPED));
        if (output === 'text' && command.includes('--sql'))
          assert.equal(stdout.trimEnd().split('\n').length, 1 + ids.length);
        else
          assert.deepEqual(
            new Set(idsIn(output, stdout)),
            new Set(shown(output, ids)),
            command.join(' '),
          );
      }
    });
  }

  for (const [what, line] of NOT_RECORDS)
    test(`are found one by one: ${what}`, async () => {
      const alone = folder.write('alone/one.jsonl', `${text(root)}\n${line}\n${execLine()}\n`);
      for (const threadsFrom of [0, Number.POSITIVE_INFINITY]) {
        const journals = await Journals.open([alone], threadsFrom);
        try {
          await journals.readyViews();
          assert.deepEqual(await journals.integers('SELECT count(*) FROM records'), [2]);
          const graph = await Graph.load(journals);
          await assert.rejects(graph.find(idOf(line) || 'none'), /no record has the id/);
          assert.equal(await graph.find(idOf(text(root))), 0);
          const { findings: found } = await auditOf(journals);
          const unread = found.filter(({ code }) => code === 'LINE_UNREADABLE');
          assert.deepEqual(
            unread.map(({ line: number }) => number),
            [2],
          );
          assert.deepEqual([journals.recordCount, journals.isPartial], [2, true]);
        } finally {
          journals.close();
        }
      }
    });

  test('are neither counted nor reported nor exported', async () => {
    const lake = join(folder.path, 'lake');
    const page = join(folder.path, 'odd.md');
    const commands: readonly (readonly [readonly string[], RegExp])[] = [
      [['stats'], new RegExp(`^exec +${execIds.length} `, 'm')],
      [['gaps'], /^files/m],
      [['export', '--parquet', lake], /^/],
      [['report', '--markdown', '-o', page], /^/],
    ];
    for (const [command, says] of commands) {
      const { code, stdout, stderr } = await vcml(...command, path);
      assert.equal(code, 3, `${command}: ${stderr}`);
      assert.match(stdout, says);
      assert.match(stdout + stderr, new RegExp(SKIPPED));
    }
    const report = readFileSync(page, 'utf8');
    assert.match(report, new RegExp(`${there.ids.length} records.*`));
    const { stdout } = await vcml(
      'query',
      '--output',
      'jsonl',
      '--sql',
      `SELECT count(*) AS n FROM records`,
      path,
    );
    assert.equal(JSON.parse(stdout).n, there.ids.length);
  });

  test('are skipped by tail', async () => {
    const { code, lines, stderr } = await followed(folder, 'tailed.jsonl', path);
    assert.deepEqual(lines.map((line) => JSON.parse(line).id).toSorted(), there.ids.toSorted());
    assert.equal(code, 3);
    assert.match(stderr, new RegExp(SKIPPED));
  });

  for (const [how, threadsFrom] of [
    ['in threads', 0],
    ['by DuckDB', Number.POSITIVE_INFINITY],
  ] as const)
    test(`are found by the audit, read ${how}`, async () => {
      // Where others are many, the threads leave the file to DuckDB.
      const more = Array.from({ length: 1000 }, execLine);
      const large = folder.write(`large/${segment(1)}`, `${[...more, ...ODD].join('\n')}\n`);
      const journals = await Journals.open([large], threadsFrom);
      try {
        const found = (await auditOf(journals)).findings.filter(
          ({ code }) => code === 'LINE_UNREADABLE',
        );
        assert.deepEqual(
          found.map(({ line }) => line),
          unreadIn(large),
        );
        assert.equal(journals.isPartial, true);
      } finally {
        journals.close();
      }
    });

  test('are not on the page, which says so', async (t) => {
    const server = await startServer(t, path);
    const about = await server.json('/api/summary');
    assert.equal(about.inputs[0].skippedLines, NOT_RECORDS.length);
    assert.equal(Number(about.records), there.ids.length);
    const records = await server.json('/api/records');
    assert.deepEqual([records.matched, records.rows.length], [there.ids.length, there.ids.length]);
    const tree = await server.json('/api/tree');
    assert.deepEqual([tree.rows.length, tree.children.length], [execIds.length, execIds.length]);
    for (const [what, line] of NOT_RECORDS)
      if (idOf(line) !== '') {
        const { status } = await server.send(`/api/record/${encodeURIComponent(idOf(line))}`);
        assert.equal(status, 404, what);
      }
    const { rows, id } = await server.json(`/api/record/${idOf(text(root))}`);
    assert.deepEqual([rows.length, id], [1, idOf(text(root))]);
    for (const form of ['jsonl', 'csv']) {
      const { body } = await server.send(`/api/export?form=${form}`);
      const lines = body.trimEnd().split(/\r?\n/);
      const ids = idsIn(form, lines.slice(0, -1).join('\n'));
      assert.deepEqual(ids.toSorted(), there.ids.toSorted());
      assert.match(lines.at(-1) ?? '', new RegExp(SKIPPED));
    }
  });
});

/** Returns the numbers of the lines that the second reader takes for no record. */
function unreadIn(file: string): number[] {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.flatMap((line, n) => {
    const one = folder.write('one/line.jsonl', line);
    return secondReading(one).ids.length === 0 ? [n + 1] : [];
  });
}

const BYTES = [
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  ' ',
  '0',
  '.',
  '\v',
  '\u00a0',
  '\ud83d\ude00',
];
const WORDS = [
  'NaN',
  'Infinity',
  '-inf',
  '[1,]',
  '{"a":1,}',
  '{"a":1,"a":2}',
  '"\\ud800"',
  '01',
  '1e999',
  '{}',
];

function mutated(line: string, { below, among }: Seeded): string {
  const at = below(line.length);
  const closing = [...line.matchAll(/[}\]]/g)].map(({ index }) => index);
  const members = [...line.matchAll(/"[\w.]+":("[^"]*"|\d+|null|\[[^\]]*\])/g)].map(([one]) => one);
  const member = among(members);
  const name = /^"[\w.]+":/.exec(member)?.[0] ?? '';
  switch (below(7)) {
    case 0: {
      const end = among(closing);
      return `${line.slice(0, end)},${line.slice(end)}`;
    }
    case 1:
      return line.replace(member, () => name + among(WORDS));
    case 2:
      return line.replace(member, () => `${name}${among(WORDS)},${member}`);
    case 3:
      return line.replace(member, () => `${member},${member}`);
    case 4:
      return line.slice(0, at) + among(BYTES) + line.slice(at);
    case 5:
      return line.slice(0, at) + line.slice(at + 1);
    default:
      return `${among(BYTES)}${line}${among(BYTES)}`;
  }
}

describe('every command prints the records that a second reader finds', () => {
  for (const seed of [1, 2, 3])
    test(`in lines that were changed: seed ${seed}`, async () => {
      const chance = createSeeded(seed);
      const lines = Array.from({ length: 600 }, () => {
        const line = execLine();
        return chance.percent(50) ? mutated(line, chance) : line;
      });
      const file = folder.write(`fuzz/${seed}/${segment(1)}`, `${lines.join('\n')}\n`);
      const { ids, lines: all, recordLines } = secondReading(file);
      assert.ok(all - recordLines > 50 && recordLines > 300);
      for (const threadsFrom of [0, Number.POSITIVE_INFINITY]) {
        const journals = await Journals.open([file], threadsFrom);
        try {
          const { findings: found } = await auditOf(journals);
          const unread = found.filter(({ code }) => code === 'LINE_UNREADABLE');
          assert.deepEqual(
            unread.map(({ line }) => line),
            unreadIn(file),
          );
        } finally {
          journals.close();
        }
      }
      for (const command of [
        ['query', '--output', 'jsonl'],
        ['query', '--output', 'json'],
        ['query', '--output', 'jsonl', '--sql', 'SELECT id FROM records'],
        ['tree', '--limit', '10000', '--output', 'jsonl'],
      ]) {
        const { stdout, stderr } = await vcml(...command, file);
        const form = command[2] ?? '';
        const printed = idsIn(command[0] === 'tree' ? 'jsonl' : form, stdout);
        assert.deepEqual(printed.toSorted(), ids.toSorted(), command.join(' '));
        assert.match(stderr, new RegExp(`skipped ${all - recordLines} lines`));
      }
    });
});
