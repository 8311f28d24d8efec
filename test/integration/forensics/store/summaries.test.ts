import { deepEqual, equal, match } from 'node:assert/strict';
import { test } from 'node:test';
import { text } from '../../../check/craft.ts';
import { NO_CLICKHOUSE } from '../../../support/clickhouse/clickhouse.ts';
import { PASSWORD } from '../../../support/clickhouse/server-config.ts';
import { addressOf, startStore } from '../../../support/clickhouse/stored.ts';
import { Folder, vcml, vcmlWith } from '../../../support/forensics.ts';
import { hostileLines, journalLine, sameLines } from '../../../support/journal/lines.ts';
import { recordsOf, stepsOf } from '../mutations/sound.ts';

const options = { skip: NO_CLICKHOUSE };
const ALL = ['--since', '1970-01-02'];
const WITHHELD =
  ',"vcml.boot.id":"01234567-89ab-4def-8123-456789abcdef","vcml.withheld.hook_id":"1","vcml.withheld.cpu":0,"vcml.withheld.ranges":';

test('gaps and stats of a store are those of files', options, async (t) => {
  const store = await startStore(t);
  const folder = new Folder();
  t.after(() => folder.close());
  const lines = [
    ...recordsOf('runs', stepsOf('runs')).map(text),
    ...recordsOf('pods', stepsOf('pods')).map((record) =>
      text(record)
        .replace('"host.name":"node"', '"host.name":"node-2"')
        .replaceAll(/(?<="(?:id|parent_cause)":")./g, otherDigit),
    ),
    // DuckDB's client drops a byte order mark at the beginning of a text, and a store has no empty one.
    ...hostileLines(200, 11).map((line) =>
      line.replaceAll('\ufeff', 'BOM').replaceAll(/(?<="(k8s.pod.name|comm)":)""/g, '"x"'),
    ),
    journalLine('journal.withheld', 900_001, `${WITHHELD}["3-4","6-7"]`),
    journalLine('journal.withheld', 900_002, `${WITHHELD}["3-3","4-4","7-8"]`),
  ];
  // A journal has its lines in the order of their times, as a store does.
  const byTime = lines.toSorted((a, b) => Number(timeIn(a) - timeIn(b)));
  const file = folder.journal('node.jsonl', byTime);
  await store.insert(lines);
  await store.insert(lines.toReversed());
  for (const merge of [() => {}, store.merge]) {
    await merge();
    for (const command of [
      ['gaps', '--silence', '0'],
      ['gaps', '--silence', '60', '--output', 'jsonl'],
      ['stats', '--top', '1000'],
      ['stats', '--top', '1000', '--output', 'jsonl'],
    ]) {
      const expected = await vcml(...command, file);
      const found = await vcml(...command, ...ALL, store.address);
      sameLines(found.stdout.split('\n'), withoutFiles(expected.stdout).split('\n'));
      deepEqual([found.code, expected.code], [0, 0]);
      match(found.stderr, /^vcml: complete: /m);
    }
  }
});

test('a summary of a store is of a time and of a node, also for a reader', options, async (t) => {
  const store = await startStore(t);
  await store.insert(recordsOf('pods', stepsOf('pods')).map(text));
  const [server] = store.servers;
  if (server === undefined) throw new Error('there is no server');
  const reader = addressOf(server, 'reader');
  const none = ['stats', '--since', '1970-01-02', '--until', '1970-01-03'];
  const env = { VCML_STORE_PASSWORD: PASSWORD };
  equal((await vcmlWith(env, ...none, '--output', 'jsonl', reader)).stdout, '');
  const other = await vcmlWith(
    env,
    'stats',
    ...ALL,
    '--node',
    'other',
    '--output',
    'jsonl',
    reader,
  );
  deepEqual([other.code, other.stdout], [0, '']);
  for (const [args, message] of [
    [['gaps', store.address], /name a time with --since/],
    [
      ['stats', ...ALL, '--node', 'node-*', store.address],
      /--node of gaps and stats is a whole name/,
    ],
    [['stats', ...ALL, '/tmp'], /are for a store/],
  ] as const) {
    const { code, stderr } = await vcml(...args);
    equal(code, 64);
    match(stderr, message);
  }
});

/** A store has no files about which there is something to say. */
function withoutFiles(stdout: string): string {
  return stdout.replace(/^files\n( {2}.*\n)*/m, '');
}

/** The nodes of a test have the same boot, and their ids must differ. */
function otherDigit(digit: string): string {
  return (15 - Number.parseInt(digit, 16)).toString(16);
}

function timeIn(line: string): bigint {
  return BigInt(/"timestamp":(\d+)/.exec(line)?.[1] ?? 0);
}
