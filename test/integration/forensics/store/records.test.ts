import { deepEqual, equal, match } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { childCounts } from '../../../../forensics/serve/memory/store-pages.ts';
import { rowsFor } from '../../../../forensics/store/answer/fetch.ts';
import type { Question } from '../../../../forensics/store/answer/question.ts';
import { lineOf } from '../../../../forensics/store/answer/record-line.ts';
import { connect } from '../../../../forensics/store/connect.ts';
import { parseExact } from '../../../../record/exact-json.ts';
import { NO_CLICKHOUSE } from '../../../support/clickhouse/clickhouse.ts';
import { PASSWORD } from '../../../support/clickhouse/server-config.ts';
import {
  addressOf,
  type Stored,
  sharedStore,
  startStore,
} from '../../../support/clickhouse/stored.ts';
import { Folder, vcml, vcmlWith } from '../../../support/forensics.ts';
import {
  execLine,
  execLines,
  hostileLines,
  idIn,
  journalLine,
  sameLines,
} from '../../../support/journal/lines.ts';

const options = { skip: NO_CLICKHOUSE };
const emptyStore = sharedStore();

test('rows become the lines again from which they were made', options, async () => {
  const store = emptyStore();
  const lines = hostileLines(600, 7);
  await store.insert(lines);
  sameLines(await linesIn(store), sorted(lines));
});

test('values that their columns cannot hold stay as they are', options, async () => {
  const store = emptyStore();
  const lines = [
    withAttributes(
      0,
      '"process.command_args":[],"vcml.cpu":"seven","process.vpid":9007199254740993',
    ),
    withAttributes(1, '"vcml.boot.id":"no uuid","process.interactive":false,"process.command":""'),
    execLine(2).replace(/"id":"[^"]*"/, '"id":"no uuid either"'),
    execLine(3).replace(/"parent_cause":null/, '"parent_cause":"nobody"'),
    withAttributes(4, '"a.new.attribute":"of another version"'),
  ];
  await store.insert(lines);
  deepEqual((await linesIn(store)).map(parsed), sorted(lines).map(parsed));
});

test('a replay changes nothing, before and after merges', options, async () => {
  const store = emptyStore();
  const lines = [journalStart(), ...execLines(0, 300)];
  await store.insert(lines);
  const tables = ['coverage', 'first_seen'];
  const before = await contents(store, tables);
  await store.insert(lines.toReversed());
  await store.insert(lines.slice(100, 200));
  sameLines(await linesIn(store), sorted(lines));
  deepEqual(await contents(store, tables), before);
  await store.merge();
  sameLines(await linesIn(store), sorted(lines));
  deepEqual(await contents(store, tables), before);
  for (const server of store.servers) {
    const [found] = await server.query<{ rows: string; ids: string }>(
      'SELECT toString(count()) AS rows, toString(uniqExact(id)) AS ids FROM vcml.records_local',
    );
    equal(found?.rows, found?.ids);
  }
});

test('a later row with the same id does not replace the first', options, async () => {
  const store = emptyStore();
  const first = execLine(1);
  const forged = execLine(1, { object: '/usr/bin/innocent' });
  await store.insert([first]);
  await store.insert([forged]);
  // Also within one request.
  await store.insert([execLine(4), execLine(4, { object: '/usr/bin/innocent' })]);
  sameLines(await linesIn(store), [first, execLine(4)]);
  await store.merge();
  sameLines(await linesIn(store), [first, execLine(4)]);
});

test('no question finds what a node sent again and changed', options, async () => {
  const store = emptyStore();
  const [cause, exec] = [execLine(1), execLine(4)];
  const forged = exec
    .replace(/"parent_cause":(null|"[^"]*")/, `"parent_cause":"${idIn(cause)}"`)
    .replace(/"process.executable.path":"[^"]*"/, '"process.executable.path":"/tmp/forged"');
  await store.insert([cause, exec]);
  await store.insert([forged]);
  const since = '2001-01-01';
  deepEqual(await linesIn(store, { since, exe: '/tmp/forged' }), []);
  sameLines(await linesIn(store, { id: idIn(cause), since, effects: true }), [cause]);
  await using connection = connect(store.address, {});
  deepEqual(await childCounts(connection, [keyIn(cause)]), [0]);
});

test('what a node sent again and changed hides nothing that it sent first', options, async () => {
  const store = emptyStore();
  const [cause = '', effect = ''] = deepChain(2);
  await store.insert([cause, effect]);
  await store.insert([
    effect
      .replace(/"parent_cause":"[^"]*",/, '"parent_cause":null,')
      .replace(/"process.executable.path":"[^"]*"/, '"process.executable.path":"/tmp/forged"'),
  ]);
  await using connection = connect(store.address, {});
  for (const merge of [() => {}, store.merge]) {
    await merge();
    sameLines(await linesIn(store, { since: '2001-01-01', exe: '/usr/bin/p1' }), [effect]);
    sameLines(await linesIn(store, { id: idIn(cause), effects: true }), sorted([cause, effect]));
    deepEqual(await childCounts(connection, [keyIn(cause)]), [1]);
  }
});

test('a node that sends the ids of another one hides nothing of it', options, async () => {
  const store = emptyStore();
  const lines = deepChain(5);
  const others = [1, 2, 4].map((n) => (lines[n] ?? '').replaceAll('node-1', 'a-node'));
  await store.insert(lines);
  await store.insert(others);
  const id = idIn(lines[4] ?? '');
  sameLines(await linesIn(store, { id }), sorted([...lines, ...others.slice(2)]));
  const asked = { since: '2001-01-01', exe: '/usr/bin/p4', causes: true };
  sameLines(await linesIn(store, asked), sorted([...lines, ...others.slice(2)]));
  const cause = { id: idIn(lines[1] ?? ''), effects: true };
  sameLines(await linesIn(store, cause), sorted([...lines, ...others.slice(0, 2)]));
});

test('many records that are selected are those that were sent first, too', options, async () => {
  const store = emptyStore();
  // So many that their keys are not named one by one.
  const many = Array.from({ length: 1500 }, (_, n) => execLine(n, { object: '/usr/bin/many' }));
  const other = execLine(1500);
  await store.insert([...many, other]);
  await store.insert([
    execLine(1500, { object: '/usr/bin/many' }),
    execLine(7, { object: '/usr/bin/other' }),
    ...many.slice(20, 40),
  ]);
  for (const merge of [() => {}, store.merge]) {
    await merge();
    sameLines(await linesIn(store, { since: '2001-01-01', exe: '/usr/bin/many' }), sorted(many));
  }
});

test('records about the journal that differ all stay', options, async () => {
  const store = emptyStore();
  const one = journalStart();
  await store.insert([one, one]);
  await store.insert([one.replace('"attached"', '"resumed"'), one]);
  await store.merge();
  const found = await store.query<{ hook_state: string }>(
    'SELECT hook_state FROM vcml.journal ORDER BY hook_state',
  );
  deepEqual(found, [{ hook_state: 'attached' }, { hook_state: 'resumed' }]);
});

test('coverage names exactly the numbers that did not arrive', options, async () => {
  const store = emptyStore();
  const all = execLines(2, 2000);
  const holes = new Set([17, 18, 400, 1201, 1203, 1998]);
  await store.insert(all.filter((_, index) => !holes.has(index + 2)));
  const found = await store.query<{ cpu: string; missing: string[] }>(
    `SELECT cpu, arrayFilter(n -> n % 2 = cpu, bitmapToArray(bitmapAndnot(
       bitmapBuild(arrayMap(n -> toUInt64(n), range(toUInt64(min(first)), toUInt64(max(last) + 1)))),
       groupBitmapMergeState(seqs)))) AS missing
     FROM vcml.coverage GROUP BY node, boot_id, hook_id, cpu ORDER BY cpu`,
  );
  const missing = (cpu: number) =>
    [...holes].filter((n) => n % 2 === cpu && n < 1998).map((n) => `${n}`);
  deepEqual(
    found.map(({ missing: numbers }) => numbers.map(String)),
    [missing(0), missing(1)],
  );
});

test('one node is on one shard, and each shard has its own', options, async () => {
  const store = emptyStore();
  const lines = Array.from({ length: 40 }, (_, n) =>
    execLine(n, { resource: { 'host.name': `node-${n % 10}` } }),
  );
  await store.insert(lines);
  const nodes = await Promise.all(
    store.servers.map((server) =>
      server.query<{ node: string }>('SELECT DISTINCT node FROM vcml.records_local'),
    ),
  );
  equal(nodes.flat().length, 10);
  equal(
    nodes.every((some) => some.length > 0),
    true,
  );
});

test('a chain and a tree from a store are those from files', options, async (t) => {
  const store = emptyStore();
  const lines = deepChain(12);
  await store.insert(lines);
  await store.insert(lines.slice(3));
  const folder = new Folder();
  t.after(() => folder.close());
  const file = folder.journal('node.jsonl', lines);
  for (const [command, n] of [
    ['chain', 11],
    ['tree', 2],
  ] as const)
    for (const form of ['text', 'jsonl']) {
      const id = idIn(lines[n] ?? '');
      const expected = await vcml(command, id, file, '--output', form);
      const found = await vcml(command, id, store.address, '--output', form);
      equal(found.stdout, expected.stdout, found.stderr);
      deepEqual([found.code, expected.code], [0, 0]);
    }
});

test('a chain whose causes are a second or a month apart is whole', options, async (t) => {
  const store = emptyStore();
  const SECOND = 1_000_000_000n;
  // The last but one is later than its effect, because somebody set the clock.
  const apart = [1n, 2n, 7_200n, 1n, 30n, 3_600_000n, 5n, 400n, 59n, 61n, -90n, 3n];
  let time = 1_795_403_355n * SECOND;
  const lines = deepChain(apart.length).map((line, n) => {
    time += (apart[n] ?? 0n) * SECOND;
    return line.replace(/"timestamp":\d+/, `"timestamp":${time}`);
  });
  await store.insert(lines);
  const folder = new Folder();
  t.after(() => folder.close());
  const id = idIn(lines.at(-1) ?? '');
  const found = await vcml('chain', id, store.address, '--output', 'jsonl');
  equal(found.stdout.trimEnd().split('\n').length, lines.length, found.stderr);
  const expected = await vcml(
    'chain',
    id,
    folder.journal('node.jsonl', lines),
    '--output',
    'jsonl',
  );
  equal(found.stdout, expected.stdout);
});

test('a report from a store has the causes that one from files has', options, async (t) => {
  const store = emptyStore();
  const lines = deepChain(12);
  await store.insert([...lines, execLine(40)]);
  const folder = new Folder();
  t.after(() => folder.close());
  const file = folder.journal('node.jsonl', [...lines, execLine(40)]);
  const about = async (input: string, ...selection: readonly string[]) => {
    const out = join(folder.path, 'report.md');
    const { code, stderr } = await vcml('report', '--markdown', '-o', out, ...selection, input);
    equal(code, 0, stderr);
    return readFileSync(out, 'utf8').replace(/## (What is missing|Made from).*/s, '');
  };
  for (const selection of [
    ['--exe', '/usr/bin/p7', '--since', '2001-01-01'],
    ['--id', idIn(lines[5] ?? '')],
    ['--id', idIn(lines[5] ?? ''), '--since', '2027-01-01'],
  ])
    equal(await about(store.address, ...selection), await about(file, ...selection));
});

test('an id that no record has, and the beginning of one, are answered', options, async () => {
  const store = emptyStore();
  const lines = execLines(0, 3);
  await store.insert(lines);
  const none = await vcml('chain', '11111111-1111-5111-8111-111111111111', store.address);
  deepEqual([none.code, none.stdout], [1, '']);
  const beginning = idIn(lines[0] ?? '').slice(0, 8);
  const refused = await vcml('chain', beginning, store.address);
  equal(refused.code, 64);
  match(refused.stderr, /add --since or --node, or the whole id/);
  const several = await vcml('chain', beginning, store.address, '--node', 'node-1');
  match(several.stderr, /more than one id begins with/);
});

test('a reader who may only read gets the same answer', options, async () => {
  const store = emptyStore();
  await store.insert(execLines(0, 3));
  const [server] = store.servers;
  if (server === undefined) throw new Error('there is no server');
  const { code, stdout, stderr } = await vcmlWith(
    { VCML_STORE_PASSWORD: PASSWORD },
    'query',
    '--since=2001-01-01',
    '--output=jsonl',
    addressOf(server, 'reader'),
  );
  equal(code, 0, stderr);
  sameLines(stdout.trimEnd().split('\n'), execLines(0, 3));
});

test('a store of another schema is not read', options, async (t) => {
  const store = await startStore(t);
  await store.query(
    "CREATE OR REPLACE VIEW vcml.schema AS SELECT 1 AS version, 'older' AS fingerprint, 'cluster fleet' AS layout",
  );
  const { code, stderr } = await vcml('query', '--since=1h', store.address);
  equal(code, 2);
  match(stderr, /another schema than this vcml: upgrade it with vcml store init/);
});

test('a store answers alone, and at a time', options, async () => {
  const store = emptyStore();
  for (const [args, message] of [
    [['query', store.address], /name a time with --since/],
    [['query', '--since=1h', store.address, '/tmp'], /reads no store, or not beside other inputs/],
    [['export', '--parquet=/tmp/x', store.address], /reads no store, or not beside other inputs/],
    [['audit', store.address], /an audit of a store needs --since/],
  ] as const) {
    const { code, stderr } = await vcml(...args);
    equal(code, 64);
    match(stderr, message);
  }
});

/** Returns where the record of a line is. */
function keyIn(line: string): { node: string; timestamp: string; id: string } {
  const [, timestamp = ''] = /"timestamp":(\d+)/.exec(line) ?? [];
  return { node: 'node-1', timestamp, id: idIn(line) };
}

/** Returns execs, each caused by the one before. */
function deepChain(length: number): string[] {
  return execLines(0, length).map((line, n) =>
    n === 0
      ? line
      : line.replace(
          /"permitted_by":.*?,"resource"/,
          `"permitted_by":"parent_process_context","parent_cause":"${idIn(execLine(n - 1))}","resource"`,
        ),
  );
}

function journalStart(): string {
  return journalLine('journal.start', 900_000, ',"vcml.hook.state":"attached"');
}

function withAttributes(n: number, attributes: string): string {
  return execLine(n).replace(/"attributes":\{.*/, `"attributes":{${attributes}}}`);
}

/** Reads all records of a store as lines, byte for byte. */
async function linesIn(
  { address }: Stored,
  question: Question = { since: '2001-01-01' },
): Promise<string[]> {
  await using store = connect(address, {});
  const lines: string[] = [];
  for await (const rows of rowsFor(store, question, Date.now())) lines.push(...rows.map(lineOf));
  return sorted(lines);
}

function sorted(lines: readonly string[]): string[] {
  return lines.toSorted();
}

/** Returns a line's members, whatever their order, with exact numbers. */
function parsed(line: string): unknown {
  return parseExact(line);
}

async function contents(store: Stored, tables: readonly string[]): Promise<unknown> {
  const found: unknown[] = [];
  for (const table of tables)
    found.push(
      await store.query(
        table === 'coverage'
          ? `SELECT node, boot_id, hook_id, cpu, hour, groupBitmapMerge(seqs) AS seqs, min(first) AS first,
             max(last) AS last FROM vcml.coverage GROUP BY ALL ORDER BY ALL`
          : `SELECT executable, image, node, min(first) AS first, max(last) AS last
             FROM vcml.first_seen GROUP BY ALL ORDER BY ALL`,
      ),
    );
  return found;
}
