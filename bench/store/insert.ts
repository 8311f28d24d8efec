import { readFileSync } from 'node:fs';
import { EXPORTER_COLUMNS } from '../../forensics/store/schema/exporter-columns.ts';
import { definition } from '../../forensics/store/schema/statements.ts';
import { type ClickHouse, startClickHouse } from '../../test/support/clickhouse/clickhouse.ts';
import { addressOf } from '../../test/support/clickhouse/stored.ts';
import { vcml } from '../../test/support/forensics.ts';
import type { Bed } from '../bed/bed.ts';
import type { Figure } from '../budgets.ts';
import { decimal } from '../table.ts';
import { generatedRows } from './rows.ts';

const RECORDS = 1_000_000;
/** A collector sends so many at a time. */
const BATCH = 50_000;
const ROUNDS = 3;
const TICKS_PER_SECOND = 100;
const BYTES_BUDGET = 65;
/** 35,000 records a second on one core. */
const MICROSECONDS_BUDGET = 1e6 / 35_000;

/** Measures what a record costs a store on one server: processor time, and bytes on disk. */
export async function measureStoreInsert(
  bed: Bed,
  report: (text: string) => void,
): Promise<Figure[]> {
  const after: (() => unknown)[] = [];
  bed.cleanup.add(async () => {
    for (const task of after) await task();
  });
  const server = await startClickHouse({ after: (task) => after.push(task) });
  const { code, stderr } = await vcml('store', 'init', addressOf(server), '--keep-days', '20000');
  if (code !== 0) throw new Error(stderr);
  report('store: generating a million rows of the exporter');
  await server.query('CREATE TABLE vcml.staged AS vcml.otel ENGINE = Memory');
  for (let from = 0; from < RECORDS; from += BATCH)
    await server.query(`INSERT INTO vcml.staged ${generatedRows(from, BATCH)}`);
  await server.query(
    `CREATE TABLE vcml.plain (${EXPORTER_COLUMNS.map(plainly).join(', ')})
     ENGINE = MergeTree ORDER BY (ServiceName, Timestamp)`,
  );
  const tables = ['records', 'journal', 'coverage', 'first_seen'];
  const ours: number[] = [];
  const plain: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    report(`store: inserting a million rows, round ${round + 1} of ${ROUNDS}`);
    for (const table of [...tables, 'plain']) await server.query(`TRUNCATE TABLE vcml.${table}`);
    ours.push(await insertionInto(server, 'otel'));
    plain.push(await insertionInto(server, 'plain'));
  }
  for (const table of [...tables, 'plain'])
    await server.query(`OPTIMIZE TABLE vcml.${table} FINAL`);
  const [own, theirs] = [middle(ours), middle(plain)];
  const bytes = await bytesOf(server, tables);
  const ratio = decimal(own / theirs, 2);
  return [
    {
      what: 'store: processor time to insert a record',
      value: own,
      unit: 'µs',
      budget: MICROSECONDS_BUDGET,
      more: `all tables and views, without merges; ${ratio} × the exporter’s columns by time`,
    },
    {
      what: 'store: bytes a record, merged',
      value: bytes,
      unit: '',
      budget: BYTES_BUDGET,
      more: `the exporter’s columns: ${decimal(await bytesOf(server, ['plain']))}`,
    },
  ];
}

/** The exporter's table compresses what the store's own table of this name does not keep. */
function plainly({ name, type }: (typeof EXPORTER_COLUMNS)[number]): string {
  return definition({ name, type, value: name });
}

/** Inserts all rows with one thread; returns the server's processor time for each, in µs. */
async function insertionInto(server: ClickHouse, table: string): Promise<number> {
  await server.query('SYSTEM STOP MERGES');
  const before = processorSeconds(server.pid);
  await server.query(
    `INSERT INTO vcml.${table} SELECT * FROM vcml.staged
     SETTINGS max_threads = 1, max_insert_threads = 1, max_block_size = ${BATCH},
       min_insert_block_size_rows = ${BATCH}, min_insert_block_size_bytes = 0`,
  );
  const seconds = processorSeconds(server.pid) - before;
  await server.query('SYSTEM START MERGES');
  return (1e6 * seconds) / RECORDS;
}

async function bytesOf({ query }: ClickHouse, tables: readonly string[]): Promise<number> {
  const names = tables.map((table) => `'${table}'`).join(', ');
  const [row] = await query<{ bytes: string }>(
    `SELECT toString(sum(bytes_on_disk)) AS bytes FROM system.parts
     WHERE active AND database = 'vcml' AND table IN (${names})`,
  );
  return Number(row?.bytes) / RECORDS;
}

function processorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return (user + system) / TICKS_PER_SECOND;
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
