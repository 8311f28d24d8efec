import { equal, match } from 'node:assert/strict';
import { test } from 'node:test';
import { EXPORTER_COLUMNS } from '../../../../forensics/store/schema/exporter-columns.ts';
import { NO_CLICKHOUSE, startClickHouse } from '../../../support/clickhouse/clickhouse.ts';
import { exporterRow } from '../../../support/clickhouse/exporter-row.ts';
import { addressOf } from '../../../support/clickhouse/stored.ts';
import { vcml } from '../../../support/forensics.ts';
import { execLines, sameLines } from '../../../support/journal/lines.ts';

const options = { skip: NO_CLICKHOUSE };

/** The columns that the table of 0.1.0 computes. */
const COMPUTED = `Id String MATERIALIZED LogAttributes['log.record.uid'],
  ParentCause String MATERIALIZED LogAttributes['vcml.parent_cause'],
  Object String MATERIALIZED LogAttributes['vcml.object']`;

test('the rows of the table of 0.1.0 move into a store', options, async (t) => {
  const server = await startClickHouse(t);
  const columns = EXPORTER_COLUMNS.map(({ name, type }) => `${name} ${type}`);
  await server.query('CREATE DATABASE vcml');
  await server.query(
    `CREATE TABLE vcml.records (${columns.join(', ')}, ${COMPUTED})
     ENGINE = ReplacingMergeTree PARTITION BY toDate(Timestamp, 'UTC') ORDER BY Id`,
  );
  const lines = execLines(0, 50);
  const rows = lines.map((line) => JSON.stringify(exporterRow(line))).join('\n');
  await server.query(
    `INSERT INTO vcml.records SETTINGS date_time_input_format = 'best_effort' FORMAT JSONEachRow\n${rows}`,
  );
  const args = ['store', 'init', addressOf(server), '--keep-days', '20000'];
  const refused = await vcml(...args);
  equal(refused.code, 2);
  match(refused.stderr, /is the table of vcml-agent 0\.1\.0: rename it/);
  await server.query('RENAME TABLE vcml.records TO vcml.records_0_1_0');
  const made = await vcml(...args);
  equal(made.code, 0, made.stderr);
  const move =
    "INSERT INTO vcml.otel SELECT * FROM vcml.records_0_1_0 WHERE toDate(Timestamp) = '2026-11-23'";
  await server.query(move);
  await server.query(move);
  const { stdout } = await vcml('query', '--since=2001-01-01', '--output=jsonl', addressOf(server));
  sameLines(stdout.trimEnd().split('\n'), lines);
});
