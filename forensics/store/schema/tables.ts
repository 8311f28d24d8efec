/** The tables of a store: what each keeps, in which order, and for how long. */

import { COLUMNS, type Column } from './columns.ts';

/** A table whose rows are spread over the shards of a cluster by their node. */
export interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  /** lines of the table's definition beside its columns */
  readonly indexes: readonly string[];
  /** The engine, and what it needs to know. */
  readonly engine: readonly [name: string, parameter?: string];
  /** The names of its columns in the order of rows. */
  readonly order: readonly string[];
  /** The clauses behind the engine; `days` is how long a record is kept. */
  clauses(days: number): string[];
}

const HOUR = 'intDiv(timestamp, 3600000000000)';
const AT = "fromUnixTimestamp64Nano(timestamp, 'UTC')";
const NODE: Column = { name: 'node', type: 'LowCardinality(String)', value: 'node' };

/** Returns the clause that says for how many days `records` keeps a record. */
export function keepingFor(days: number): string {
  return `TTL toDateTime(${AT}) + INTERVAL ${days} DAY`;
}

/** Every table, `records` first. */
export const TABLES: readonly Table[] = [
  {
    name: 'records',
    columns: COLUMNS,
    indexes: [
      'INDEX by_id id TYPE bloom_filter(0.001) GRANULARITY 1',
      'INDEX by_parent_cause parent_cause TYPE bloom_filter(0.01) GRANULARITY 1',
      'INDEX by_args args TYPE bloom_filter(0.01) GRANULARITY 1',
    ],
    // The first row stays: what comes later has a lower version.
    engine: ['ReplacingMergeTree', 'version'],
    order: [HOUR, 'node', 'timestamp', 'id'],
    clauses: (days) => [
      `PARTITION BY toDate(${AT})`,
      `PRIMARY KEY (${HOUR}, node, timestamp)`,
      `ORDER BY (${HOUR}, node, timestamp, id)`,
      keepingFor(days),
      'SETTINGS ttl_only_drop_parts = 1',
    ],
  },
  {
    name: 'journal',
    columns: COLUMNS,
    indexes: [],
    engine: ['ReplacingMergeTree', 'version'],
    // Rows with the same id and other contents all stay.
    order: ['node', 'timestamp', 'id', 'content'],
    clauses: () => ['ORDER BY (node, timestamp, id, content)'],
  },
  {
    name: 'coverage',
    columns: [
      NODE,
      { name: 'boot_id', type: 'UUID', value: 'assumeNotNull(boot_id)' },
      {
        name: 'hook_id',
        type: 'LowCardinality(String)',
        value: "coalesce(hook_id, '')",
      },
      { name: 'cpu', type: 'Int64', value: 'assumeNotNull(cpu)' },
      { name: 'hour', type: "DateTime('UTC')", value: `toStartOfHour(toDateTime(${AT}, 'UTC'))` },
      {
        name: 'seqs',
        type: 'AggregateFunction(groupBitmap, UInt64)',
        value: 'groupBitmapState(toUInt64(assumeNotNull(seq)))',
      },
      {
        name: 'first',
        type: 'SimpleAggregateFunction(min, Int64)',
        value: 'min(assumeNotNull(seq))',
      },
      {
        name: 'last',
        type: 'SimpleAggregateFunction(max, Int64)',
        value: 'max(assumeNotNull(seq))',
      },
      {
        name: 'first_time',
        type: 'SimpleAggregateFunction(min, Int64)',
        value: 'min(timestamp)',
      },
      { name: 'last_time', type: 'SimpleAggregateFunction(max, Int64)', value: 'max(timestamp)' },
    ],
    indexes: [],
    engine: ['AggregatingMergeTree'],
    order: ['node', 'boot_id', 'hook_id', 'cpu', 'hour'],
    clauses: () => ['ORDER BY (node, boot_id, hook_id, cpu, hour)'],
  },
  {
    name: 'first_seen',
    columns: [
      { name: 'executable', type: 'String', value: "coalesce(executable, object, '')" },
      { name: 'image', type: 'LowCardinality(String)', value: "coalesce(image, '')" },
      NODE,
      { name: 'first', type: 'SimpleAggregateFunction(min, Int64)', value: 'min(timestamp)' },
      { name: 'last', type: 'SimpleAggregateFunction(max, Int64)', value: 'max(timestamp)' },
    ],
    indexes: [],
    engine: ['AggregatingMergeTree'],
    order: ['executable', 'image', 'node'],
    clauses: () => ['ORDER BY (executable, image, node)'],
  },
];
