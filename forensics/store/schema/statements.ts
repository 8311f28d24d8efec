/** The statements that make a store, on one server or on the shards of a cluster. */

import { CORE } from '../../../record/fields/core.ts';
import { COLUMNS, type Column } from './columns.ts';
import { EXPORTER_COLUMNS } from './exporter-columns.ts';
import { identifier, literal } from './literal.ts';
import { type Index, TABLES, type Table } from './tables.ts';

/** How a store is laid out. */
export interface Layout {
  readonly database: string;
  /** the cluster over whose shards the nodes are spread; undefined: one server has them all */
  readonly cluster: string | undefined;
  /** Each shard has replicas. */
  readonly replicated: boolean;
  /** Statements run on every server of the cluster, which needs a Keeper. */
  readonly everywhere: boolean;
  /** how many days `records` keeps a record */
  readonly days: number;
}

/** The name of the table into which the Collector's exporter inserts. */
export const FRONT = 'otel';

/** A statement, and what it makes. */
export interface Statement {
  readonly kind: 'database' | 'table' | 'view';
  readonly name: string;
  readonly sql: string;
}

/** Who inserts into the front needs no other right. Some servers have another default. */
const RIGHTS = 'DEFINER = CURRENT_USER SQL SECURITY DEFINER';

/** A view that fills a table from the rows that are inserted into another one. */
interface View {
  readonly name: string;
  readonly to: string;
  select(layout: Layout): string;
}

/** Whether a log record is a record: it has an id, and says what permitted it. */
const IS_OURS = [CORE.id, CORE.permittedBy]
  .map(({ otlp }) => `LogAttributes[${literal(otlp)}] != ''`)
  .join(' AND ');

const VIEWS: readonly View[] = [
  {
    name: 'otel_to_records',
    to: 'records',
    // Other programs send log records through the same Collector.
    select: (layout) =>
      `${selection(storedColumns(COLUMNS))}\nFROM ${nameOf(layout, FRONT)}\nWHERE ${IS_OURS}`,
  },
  fromRecords('journal', (columns) => ({
    select: `SELECT\n  ${columns.map(({ name }) => identifier(name)).join(',\n  ')}`,
    // The first checkpoint of a segment is over the last one of the segment before. The others are kept
    // for as long as execs are.
    where:
      "action != 'exec' AND (action != 'journal.checkpoint' OR checkpoint_previous_line IS NOT NULL OR checkpoint_reason IS NOT NULL)",
  })),
  fromRecords('coverage', (columns) => ({
    select: selection(columns),
    where:
      "action = 'exec' AND boot_id IS NOT NULL AND cpu IS NOT NULL AND seq >= 0\nGROUP BY node, boot_id, hook_id, cpu, hour",
  })),
  fromRecords('first_seen', (columns) => ({
    select: selection(columns),
    where: "action = 'exec'\nGROUP BY executable, image, node",
  })),
];

/** Returns all statements in the order in which they run; each leaves alone what is there. */
export function statements(layout: Layout): Statement[] {
  return [
    {
      kind: 'database',
      name: layout.database,
      sql: `CREATE DATABASE IF NOT EXISTS ${identifier(layout.database)}${onCluster(layout)}`,
    },
    table(layout, FRONT, EXPORTER_COLUMNS.map(definition), ['ENGINE = Null']),
    ...TABLES.flatMap((one) => tables(layout, one)),
    ...VIEWS.map((one) => view(layout, one)),
  ];
}

/** Returns the query of a view, to change a view that is there. */
export function viewQueries(layout: Layout): { readonly name: string; readonly sql: string }[] {
  return VIEWS.map(({ name, select }) => ({ name, sql: select(layout) }));
}

/** Returns the name of the table that holds rows itself, which in a cluster are those of a shard. */
export function storedName({ cluster }: Layout, name: string): string {
  return cluster === undefined ? name : `${name}_local`;
}

/** Returns a column as it stands in the definition of a table. */
export function definition({ name, type, codec = 'ZSTD(1)', alias, otherwise }: Column): string {
  if (alias !== undefined) return `${identifier(name)} ${type} ALIAS ${alias}`;
  const value = otherwise === undefined ? '' : ` DEFAULT ${otherwise}`;
  return `${identifier(name)} ${type}${value} CODEC(${codec})`;
}

function indexText({ kind, name, sql }: Index): string {
  return `${kind} ${name} ${sql}`;
}

/** Returns where statements run, for their ends. */
export function onCluster({ cluster, everywhere }: Layout): string {
  return cluster !== undefined && everywhere ? ` ON CLUSTER ${identifier(cluster)}` : '';
}

/** Returns the full name of a table. */
export function nameOf({ database }: Layout, name: string): string {
  return `${identifier(database)}.${identifier(name)}`;
}

function tables(layout: Layout, one: Table): Statement[] {
  const { cluster, database, days } = layout;
  const lines = [...one.columns.map(definition), ...one.indexes.map(indexText)];
  const stored = storedName(layout, one.name);
  const settings = one.settings === undefined ? [] : [`SETTINGS ${one.settings}`];
  const clauses = [`ENGINE = ${engine(layout, one)}`, ...one.clauses(days), ...settings];
  const own = table(layout, stored, lines, clauses);
  if (cluster === undefined) return [own];
  const distributed = [cluster, database, stored].map(literal).join(', ');
  return [
    own,
    table(layout, one.name, one.columns.map(definition), [
      `ENGINE = Distributed(${distributed}, cityHash64(node))`,
    ]),
  ];
}

function engine({ replicated }: Layout, { engine: [name, ...parameters] }: Table): string {
  if (!replicated) return `${name}(${parameters.join(', ')})`;
  const path = "'/clickhouse/tables/{shard}/{database}/{table}'";
  return `Replicated${name}(${[path, "'{replica}'", ...parameters].join(', ')})`;
}

function table(
  layout: Layout,
  name: string,
  lines: readonly string[],
  clauses: readonly string[],
): Statement {
  const head = `CREATE TABLE IF NOT EXISTS ${nameOf(layout, name)}${onCluster(layout)}`;
  return {
    kind: 'table',
    name,
    sql: `${head} (\n  ${lines.join(',\n  ')}\n)\n${clauses.join('\n')}`,
  };
}

function view(layout: Layout, { name, to, select }: View): Statement {
  // Rows from outside are spread over the shards; from there on, everything stays on its shard.
  const target = to === 'records' ? to : storedName(layout, to);
  const head = `CREATE MATERIALIZED VIEW IF NOT EXISTS ${nameOf(layout, name)}${onCluster(layout)}`;
  return {
    kind: 'view',
    name,
    sql: `${head}\nTO ${nameOf(layout, target)}\n${RIGHTS} AS\n${select(layout)}`,
  };
}

function fromRecords(
  to: string,
  make: (columns: readonly Column[]) => { readonly select: string; readonly where: string },
): View {
  const columns = TABLES.find(({ name }) => name === to)?.columns ?? [];
  const { select, where } = make(storedColumns(columns));
  return {
    name: `records_to_${to}`,
    to,
    select: (layout) =>
      `${select}\nFROM ${nameOf(layout, storedName(layout, 'records'))}\nWHERE ${where}`,
  };
}

function storedColumns(columns: readonly Column[]): Column[] {
  return columns.filter(({ alias }) => alias === undefined);
}

function selection(columns: readonly Column[]): string {
  return `SELECT\n  ${columns.map(({ name, value }) => `${value} AS ${identifier(name)}`).join(',\n  ')}`;
}
