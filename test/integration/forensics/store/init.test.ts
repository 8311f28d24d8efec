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
  'a store of an older schema gets its new columns, and its old rows answer',
  options,
  async (t) => {
    const server = await startClickHouse(t);
    await init(server);
    // It is as if the field had been declared later: its column is missing, and no view fills it.
    await server.query('DROP VIEW vcml.otel_to_records');
    await server.query('DROP VIEW vcml.records_to_journal');
    for (const table of ['records', 'journal'])
      await server.query(`ALTER TABLE vcml.${table} DROP COLUMN tty`);
    await server.query(
      "INSERT INTO vcml.records (node, timestamp, action, attributes) VALUES ('n', toUnixTimestamp64Nano(now64(9)) - 1000000000, 'exec', {'vcml.process.tty': 'pts/1'})",
    );
    await server.query(
      "CREATE OR REPLACE VIEW vcml.schema AS SELECT 1 AS version, 'older' AS fingerprint, 'one server' AS layout",
    );
    const { code, stdout, stderr } = await init(server);
    equal(code, 0, stderr);
    match(stdout, /added the column tty to records\nadded the column tty to journal\n/);
    match(stdout, /changed the view records_to_coverage\n/);
    await insertTty(server, 'pts/2');
    deepEqual(await server.query('SELECT tty FROM vcml.records ORDER BY timestamp'), [
      { tty: 'pts/1' },
      { tty: 'pts/2' },
    ]);
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

async function insertTty(server: ClickHouse, tty: string): Promise<void> {
  await server.query(
    `INSERT INTO vcml.otel (Timestamp, ResourceAttributes, LogAttributes)
     VALUES (now64(9), {'host.name': 'n'}, {'vcml.process.tty': '${tty}'})`,
  );
}
