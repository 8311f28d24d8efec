/** The tables of a store: what each keeps, in which order, and for how long. */

import { HOUR_NS } from '../../select/time.ts';
import { COLUMNS, type Column } from './columns.ts';

/** What a table keeps beside its columns, so that a question reads fewer rows. */
export interface Index {
  readonly kind: 'INDEX' | 'PROJECTION';
  readonly name: string;
  /** what stands behind its name */
  readonly sql: string;
}

/** A table whose rows are spread over the shards of a cluster by their node. */
export interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly indexes: readonly Index[];
  /** The engine, and what it needs to know. */
  readonly engine: readonly [name: string, parameter?: string];
  /** The names of its columns in the order of rows. */
  readonly order: readonly string[];
  /** The clauses behind the engine; `days` is how long a record is kept. */
  clauses(days: number): string[];
  /** those of the engine */
  readonly settings?: string;
}

/** The hour of a record, which is the first part of the order of `records`. */
export const HOUR = `intDiv(timestamp, ${HOUR_NS})`;
const AT = "fromUnixTimestamp64Nano(timestamp, 'UTC')";
const NODE: Column = { name: 'node', type: 'LowCardinality(String)', value: 'node' };

/** Returns the clause that says for how many days `records` keeps a record. */
export function keepingFor(days: number): string {
  return `TTL toDateTime(${AT}) + INTERVAL ${days} DAY`;
}

function bloomFilter(name: string, columns: string, wrong: number): Index {
  const sql = `${columns} TYPE bloom_filter(${wrong}) GRANULARITY 1`;
  return { kind: 'INDEX', name, sql };
}

/** Every table, `records` first. */
export const TABLES: readonly Table[] = [
  {
    name: 'records',
    columns: COLUMNS,
    indexes: [
      bloomFilter('by_id', 'id', 0.001),
      bloomFilter('by_parent_cause', 'parent_cause', 0.01),
      bloomFilter('by_args', 'args', 0.01),
      bloomFilter('by_trace_id', 'trace_id', 0.01),
      // The name of a program may be in any of these columns, and one index answers for all of them.
      bloomFilter('by_executable', '(executable, executable_name, object)', 0.01),
      {
        // A part of the table has its own counts, and loses them with its rows.
        kind: 'PROJECTION',
        name: 'by_hour',
        sql: `(SELECT ${HOUR}, node, action, count() GROUP BY ${HOUR}, node, action)`,
      },
    ],
    // The first row stays: what comes later has a lower version.
    engine: ['ReplacingMergeTree', 'version'],
    order: [HOUR, 'node', 'timestamp', 'id'],
    clauses: (days) => [
      `PARTITION BY toDate(${AT})`,
      `PRIMARY KEY (${HOUR}, node, timestamp)`,
      `ORDER BY (${HOUR}, node, timestamp, id)`,
      keepingFor(days),
    ],
    // What removes rows counts those that are left.
    settings:
      "ttl_only_drop_parts = 1, deduplicate_merge_projection_mode = 'rebuild', lightweight_mutation_projection_mode = 'rebuild'",
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
