/** The tables in DuckDB from which questions about files are answered. */

import { LABEL_PREFIX } from '../../../record/fields/resource.ts';
import { literal } from '../../columns.ts';
import { rangesSql } from '../../completeness/facts.ts';
import { NUMBERS } from '../../completeness/files.ts';
import { Graph } from '../../graph.ts';
import type { Journals } from '../../journals.ts';
import { HOUR_NS } from '../../select/time.ts';

/** One row for each record, by time: its line's place as `row`, and the columns of selections. */
export const SERVED = 'kept.served';
/** Records about the journal. */
export const REPORTS = 'kept.reports';
/** Numbers of execs without a hole between them, by hour. */
const RANGES = 'kept.ranges';
/** How many records a node has, by hour. */
export const HOURS = 'kept.hours';

const SELECTED = [
  'timestamp',
  'node',
  'namespace',
  'pod',
  'container',
  'container_id',
  'image',
  'image_id',
  'owner',
  'uid',
  'euid',
  'login_uid',
  'executable',
  'executable_name',
  'object',
  'args',
  'action',
  'entry',
  'gap_reason',
  'permitted_by',
  'executable_path_truncated',
  'object_truncated',
  'upper_layer',
  'memfd',
  'setuid',
  'loss_count',
];

/** What is not kept as it is, because selections need only a part of it. */
const SHORTENED = {
  parent_cause: `CASE WHEN parent_cause IS NOT NULL THEN '' END AS parent_cause`,
  resource: `map_from_entries(list_filter(map_entries("resource"),
    lambda one: starts_with(one.key, ${literal(LABEL_PREFIX)}))) AS "resource"`,
};

/** Reads the journals once, and keeps what selections need in memory, compressed. */
export async function serveTables(journals: Journals): Promise<Graph> {
  const plain = [...new Set([...SELECTED, ...NUMBERS])];
  const shortened = Object.keys(SHORTENED);
  const graph = await Graph.load(
    journals,
    [...plain, 'resource'],
    [...plain, ...Object.values(SHORTENED)],
  );
  const columns = [...plain, ...shortened].map((name) => `"${name}"`);
  await journals.rows(`ATTACH ':memory:' AS kept (COMPRESS)`);
  await journals.rows(
    `CREATE TABLE ${SERVED} AS
     SELECT rowid AS row, coalesce("timestamp", 0) AS "at", readable, ${columns.join(', ')}
     FROM links WHERE readable ORDER BY "at", row`,
  );
  // The graph has the causes by now.
  for (const column of [...columns, 'parent'])
    await journals.rows(`ALTER TABLE links DROP COLUMN ${column}`);
  await journals.rows('CHECKPOINT kept');
  await journals.rows(
    `CREATE TABLE ${REPORTS} AS SELECT row, ${NUMBERS.map((name) => `"${name}"`).join(', ')}
     FROM ${SERVED} WHERE "action" <> 'exec'`,
  );
  const isPlaced = 'node IS NOT NULL AND "timestamp" IS NOT NULL AND boot_id IS NOT NULL';
  await journals.rows(
    `CREATE TABLE ${RANGES} AS SELECT node, boot_id, hook_id, cpu,
       min("timestamp") AS "timestamp", min(first_seq) AS first_seq, max(last_seq) AS last_seq
     FROM ${rangesSql(`(SELECT * FROM ${SERVED} WHERE ${isPlaced})`, `"timestamp" // ${HOUR_NS}`)} one
     GROUP BY node, boot_id, hook_id, cpu, part, island`,
  );
  await journals.rows(
    `CREATE TABLE ${HOURS} AS SELECT node, boot_id, hook_id, ("timestamp" // ${HOUR_NS}) AS "hour",
       min("timestamp") AS first_time, max("timestamp") AS last_time, count(*) AS records
     FROM ${SERVED} WHERE node IS NOT NULL AND "timestamp" IS NOT NULL
     GROUP BY node, boot_id, hook_id, "hour"`,
  );
  return graph;
}

/** The numbers of all records, for questions about whole hours. */
export const BY_HOUR = {
  records: `(SELECT * FROM ${REPORTS} UNION ALL BY NAME
    SELECT node, boot_id, hook_id, 'exec' AS "action", unnest([first_time, last_time]) AS "timestamp"
    FROM ${HOURS})`,
  ranges: RANGES,
} as const;
