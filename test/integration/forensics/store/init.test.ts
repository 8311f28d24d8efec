import { deepEqual, equal, match } from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  type ClickHouse,
  NO_CLICKHOUSE,
  startClickHouse,
  startCluster,
} from '../../../support/clickhouse/clickhouse.ts';
import { CLUSTER, PASSWORD } from '../../../support/clickhouse/server-config.ts';
import { vcml, vcmlWith } from '../../../support/forensics.ts';
import { until } from '../../../support/until.ts';

const options = { skip: NO_CLICKHOUSE };

test('a store is created once, and is up to date from then on', options, async (t) => {
  const server = await startClickHouse(t);
  const first = await init(server);
  equal(first.code, 0, first.stderr);
  match(first.stdout, /created the table records\n/);
  deepEqual(await init(server), { code: 0, stdout: 'the store is up to date\n', stderr: '' });
});

test('a store that was made by the printed statements is up to date', options, async (t) => {
  const server = await startClickHouse(t);
  const { stdout } = await vcml('store', 'ddl', address(server));
  for (const statement of stdout.split(';\n')) if (statement.trim()) await server.query(statement);
  deepEqual((await init(server)).stdout, 'the store is up to date\n');
});

test(
  'a store of an older schema gets its new columns and indexes, and its old rows answer',
  options,
  async (t) => {
    const server = await startClickHouse(t);
    await init(server);
    // It is as if the field had been declared later: its column is missing, and no view fills it.
    await server.query('DROP VIEW vcml.otel_to_records');
    await server.query('DROP VIEW vcml.records_to_journal');
    for (const table of ['records', 'journal'])
      await server.query(`ALTER TABLE vcml.${table} DROP COLUMN tty`);
    for (const change of [
      'DROP INDEX by_executable',
      'DROP PROJECTION by_hour',
      'RESET SETTING deduplicate_merge_projection_mode, lightweight_mutation_projection_mode',
    ])
      await server.query(`ALTER TABLE vcml.records ${change}`);
    await server.query(
      "INSERT INTO vcml.records (node, timestamp, action, attributes) VALUES ('n', toUnixTimestamp64Nano(now64(9)) - 1000000000, 'exec', {'vcml.process.tty': 'pts/1'})",
    );
    await server.query(
      "CREATE OR REPLACE VIEW vcml.schema AS SELECT 1 AS version, 'older' AS fingerprint, 'one server' AS layout",
    );
    const { code, stdout, stderr } = await init(server);
    equal(code, 0, stderr);
    match(stdout, /added the column tty to records\nadded the column tty to journal\n/);
    match(
      stdout,
      /added the index by_executable to records\nadded the projection by_hour to records\n/,
    );
    match(stdout, /changed the view records_to_coverage\n/);
    await insertTty(server, 'pts/2');
    deepEqual(await server.query('SELECT tty FROM vcml.records ORDER BY timestamp'), [
      { tty: 'pts/1' },
      { tty: 'pts/2' },
    ]);
    await server.query('OPTIMIZE TABLE vcml.records FINAL');
    equal(await recordCount(server), 2);
    equal((await init(server)).stdout, 'the store is up to date\n');
  },
);

test('a view of an older schema is changed in place', options, async (t) => {
  const server = await startClickHouse(t);
  await init(server);
  await server.query(
    "ALTER TABLE vcml.otel_to_records MODIFY QUERY SELECT 'old' AS node, toUnixTimestamp64Nano(Timestamp) AS timestamp FROM vcml.otel",
  );
  await server.query(
    "CREATE OR REPLACE VIEW vcml.schema AS SELECT 1 AS version, 'older' AS fingerprint, 'one server' AS layout",
  );
  match((await init(server)).stdout, /changed the view otel_to_records\n/);
  await insertTty(server, 'pts/2');
  deepEqual(await server.query('SELECT node, tty FROM vcml.records'), [
    { node: 'n', tty: 'pts/2' },
  ]);
});

for (const [what, statement, message] of [
  [
    'the table of 0.1.0',
    'CREATE TABLE vcml.records (Timestamp DateTime64(9), LogAttributes Map(String, String)) ENGINE = MergeTree ORDER BY Timestamp',
    /vcml\.records is the table of vcml-agent 0\.1\.0: rename it/,
  ],
  [
    'a table of something else',
    'CREATE TABLE vcml.journal (a Int8) ENGINE = Memory',
    /journal has the engine Memory, not ReplacingMergeTree; .*journal has the unknown column a/,
  ],
  [
    'a newer schema',
    "CREATE VIEW vcml.schema AS SELECT 2 AS version, 'x' AS fingerprint, 'one server' AS layout",
    /the store has schema 2, and this vcml knows schema 1: use the vcml that made it/,
  ],
] as const)
  test(`${what} is refused, and nothing is changed`, options, async (t) => {
    const server = await startClickHouse(t);
    await server.query('CREATE DATABASE vcml');
    await server.query(statement);
    const { code, stdout, stderr } = await init(server);
    equal(code, 2);
    equal(stdout, '');
    match(stderr, message);
    equal((await server.query('SHOW TABLES FROM vcml')).length, 1);
  });

test('a column that somebody changed or added is refused', options, async (t) => {
  const server = await startClickHouse(t);
  await init(server);
  await server.query('ALTER TABLE vcml.records MODIFY COLUMN pid Nullable(Int32)');
  await server.query('ALTER TABLE vcml.records ADD COLUMN mood String');
  const { code, stderr } = await init(server);
  equal(code, 2);
  match(stderr, /records\.pid is Nullable\(Int32\), not Nullable\(Int64\)/);
  match(stderr, /records has the unknown column mood/);
});

test('without a Keeper, each server of a cluster is asked by itself', options, async (t) => {
  const [one, other] = await startCluster(t, 2);
  if (one === undefined || other === undefined) throw new Error('servers are missing');
  const first = await init(one, '--cluster', CLUSTER);
  equal(first.code, 3);
  match(first.stderr, /is missing on 1 of the servers of cluster fleet: there is no Keeper/);
  const second = await init(other, '--cluster', CLUSTER);
  equal(second.code, 0, second.stderr);
  const { code, stderr } = await init(one);
  equal(code, 2);
  match(stderr, /the store was made for cluster fleet, not for one server/);
});

test('records are kept longer, and shorter where none are deleted', options, async (t) => {
  const server = await startClickHouse(t);
  await init(server);
  deepEqual(await init(server, '--keep-days', '90'), {
    code: 0,
    stdout: 'records are kept for 90 days instead of for 30 days\n',
    stderr: '',
  });
  equal((await init(server, '--keep-days', '90')).stdout, 'the store is up to date\n');
  equal((await init(server)).stdout, 'the store is up to date\n');
  await insertAt(server, 40);
  const { stdout } = await init(server, '--keep-days', '60');
  equal(stdout, 'records are kept for 60 days instead of for 90 days\n');
  match(await engineOf(server), /TTL .*60/);
  equal(await recordCount(server), 1);
});

test('records are deleted only where that is allowed', options, async (t) => {
  const server = await startClickHouse(t);
  await init(server, '--keep-days', '100');
  await insertAt(server, 40);
  await insertAt(server, 5);
  const before = await engineOf(server);
  const { code, stdout, stderr } = await init(server, '--keep-days', '30');
  deepEqual([code, stdout], [2, '']);
  match(
    stderr,
    /^vcml: --keep-days 30 would delete 1 record from before 20\S+, and the store keeps records for 100 days: add --delete-older to delete them\n$/,
  );
  equal(await engineOf(server), before);
  const deleting = await init(server, '--keep-days', '30', '--delete-older');
  equal(
    deleting.stdout,
    'records are kept for 30 days instead of for 100 days; the server deletes 1 record\n',
  );
  await until('the server deletes it', async () => {
    await server.query('OPTIMIZE TABLE vcml.records FINAL');
    return (await recordCount(server)) === 1;
  });
  equal((await init(server, '--delete-older')).code, 64);
});

test('a store that keeps records for ever, or in another way', options, async (t) => {
  const server = await startClickHouse(t);
  await init(server);
  await server.query('ALTER TABLE vcml.records REMOVE TTL');
  const { stdout } = await init(server, '--keep-days', '30');
  equal(stdout, 'records are kept for 30 days instead of for ever\n');
  await server.query(
    "ALTER TABLE vcml.records MODIFY TTL toDateTime(fromUnixTimestamp64Nano(timestamp, 'UTC')) + INTERVAL 2 WEEK",
  );
  equal((await init(server)).stdout, 'the store is up to date\n');
  const refused = await init(server, '--keep-days', '60');
  equal(refused.code, 2);
  match(refused.stderr, /vcml\.records has a TTL that vcml did not set \(TTL .*\): change it with/);
});

test(
  'the servers of a cluster that keep records for another time are counted',
  options,
  async (t) => {
    const [one, other] = await startCluster(t, 2);
    if (one === undefined || other === undefined) throw new Error('servers are missing');
    for (const server of [one, other]) await init(server, '--cluster', CLUSTER);
    const days = ['--cluster', CLUSTER, '--keep-days', '60'];
    const first = await init(one, ...days);
    equal(first.code, 3);
    equal(first.stdout, 'records are kept for 60 days instead of for 30 days\n');
    match(first.stderr, /records are kept for another time on 1 of the servers of cluster fleet: /);
    equal((await init(other, ...days)).code, 0);
  },
);

test('the server understands the statements for replicas on a cluster', options, async (t) => {
  const server = await startClickHouse(t);
  const { stdout } = await vcml('store', 'ddl', '--cluster', 'big "fleet"', '--replicated');
  const all = stdout.split(';\n').filter((statement) => statement.trim() !== '');
  equal(all.length, 15);
  for (const statement of all) {
    const [found] = await server.query<{ formatted: string }>(
      'SELECT formatQuerySingleLine({statement:String}) AS formatted',
      { statement },
    );
    match(found?.formatted ?? '', /ON CLUSTER `big "fleet"`/);
  }
  match(stdout, /ReplicatedReplacingMergeTree\('\/clickhouse\/tables\/\{shard\}/);
});

test('a password is read from a file or a variable', options, async (t) => {
  const server = await startClickHouse(t);
  const store = address(server, 'maker');
  const none = await vcml('store', 'init', store);
  equal(none.code, 2);
  match(none.stderr, /refuses the user maker: name the file .* or set VCML_STORE_PASSWORD/);
  const file = join(server.place.folder, 'password');
  writeFileSync(file, `${PASSWORD}\n`);
  const named = await vcml('store', 'init', store, '--store-password-file', file);
  equal(named.code, 0, named.stderr);
  equal((await vcmlWith({ VCML_STORE_PASSWORD: PASSWORD }, 'store', 'init', store)).code, 0);
});

test('a reader without rights gets the answer of the server', options, async (t) => {
  const server = await startClickHouse(t);
  const { code, stderr } = await vcmlWith(
    { VCML_STORE_PASSWORD: PASSWORD },
    'store',
    'init',
    address(server, 'reader'),
  );
  equal(code, 2);
  match(stderr, /answers: .*(readonly|Not enough privileges)/);
  equal(stderr.trimEnd().includes('\n'), false);
});

test('an address that does not answer with HTTP is named', options, async (t) => {
  const server = await startClickHouse(t);
  const native = await vcml('store', 'init', `clickhouse://127.0.0.1:${server.place.native}`);
  match(native.stderr, /does not speak HTTP: name the port of ClickHouse's HTTP interface/);
  await server.kill();
  const gone = await init(server);
  equal(gone.code, 2);
  match(gone.stderr, /cannot be reached: connect ECONNREFUSED/);
});

function address({ place }: ClickHouse, user = 'default'): string {
  return `clickhouse://${user}@127.0.0.1:${place.http}/vcml`;
}

function init(server: ClickHouse, ...more: readonly string[]) {
  return vcml('store', 'init', address(server), ...more);
}

/** What every record has. */
const OURS = `'log.record.uid': 'x', 'vcml.permitted_by': 'x'`;

/** Inserts a record that is so many days old. */
async function insertAt(server: ClickHouse, days: number): Promise<void> {
  await server.query(
    `INSERT INTO vcml.otel (Timestamp, ResourceAttributes, LogAttributes)
     VALUES (now64(9) - INTERVAL ${days} DAY, {'host.name': 'n'}, {${OURS}})`,
  );
}

async function recordCount(server: ClickHouse): Promise<number> {
  const [row] = await server.query<{ n: string }>(
    'SELECT toString(count()) AS n FROM vcml.records',
  );
  return Number(row?.n);
}

async function engineOf(server: ClickHouse): Promise<string> {
  const [row] = await server.query<{ engine_full: string }>(
    "SELECT engine_full FROM system.tables WHERE database = 'vcml' AND name = 'records'",
  );
  return row?.engine_full ?? '';
}

async function insertTty(server: ClickHouse, tty: string): Promise<void> {
  await server.query(
    `INSERT INTO vcml.otel (Timestamp, ResourceAttributes, LogAttributes)
     VALUES (now64(9), {'host.name': 'n'}, {${OURS}, 'vcml.process.tty': '${tty}'})`,
  );
}
