import { deepEqual, equal, match } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../support/free-ports.ts';
import { execLine, execLines, hostileLines, journalLine } from '../../support/journal/lines.ts';
import { createExportBed, type ExportBed } from '../../support/otlp/export-bed.ts';
import { until } from '../../support/until.ts';
import { type ClickHouse, installEngine, startClickHouse } from './clickhouse.ts';
import { NO_COLLECTOR } from './collector.ts';
import { holds, type Pipeline, startPipeline } from './pipeline.ts';

const options = { skip: NO_COLLECTOR };

test('ClickHouse stores every record completely, and returns its chain', options, async (t) => {
  const scene = await setScene(t);
  if (scene === undefined) return;
  const { bed } = scene;
  const clickhouse = await scene.startServer();
  await createTable(clickhouse);
  const { collector } = await scene.startCollector();
  const lines = [
    journalLine('journal.start', 900_000, ',"vcml.hook.next_seq":[1,2]'),
    execLine(0, { more: ',"vcml.gap.reason":"lost"' }),
    ...execLines(1, 3),
    ...hostileLines(500, 5).slice(3),
    journalLine('journal.loss', 900_001, ',"vcml.loss.stage":"ring_buffer","vcml.loss.count":3'),
  ];
  bed.start(collector);
  await bed.write(...lines);
  sameRows(await rows(clickhouse, lines.length), lines);
  const found = await clickhouse.query<Record<string, unknown>>(
    readFileSync('deploy/collector/chain.sql', 'utf8'),
    { id: idOf(execLine(2)) },
  );
  deepEqual(
    found.map((row) => [row.Depth, row.Id, row.Object, row.GapReason]),
    [
      [0, idOf(execLine(2)), '/usr/bin/p2', ''],
      [1, idOf(execLine(1)), '/usr/bin/p1', ''],
      [2, idOf(execLine(0)), '/usr/bin/p0', 'lost'],
    ],
  );
});

test('nothing is lost while ClickHouse is down and the collector is killed', options, async (t) => {
  const scene = await setScene(t);
  if (scene === undefined) return;
  const { bed, queue } = scene;
  const lines = [
    journalLine('journal.start', 900_000, ',"vcml.hook.next_seq":[1,2]'),
    ...execLines(0, 300),
  ];
  const first = await scene.startCollector();
  match(first.pipeline.said(), /schema detection failed/);
  bed.start(first.collector);
  await bed.write(...lines);
  await until('the queue has them on disk', () => holds(queue, '/usr/bin/p299'));
  await first.pipeline.stop('SIGKILL');
  await scene.startCollector();
  const before = await scene.startServer();
  await createTable(before);
  // If the exporter did not see the table, the table computes EventName.
  sameRows(await rows(before, lines.length), lines);
  await before.kill();
  const more = execLines(300, 600);
  await bed.write(...more);
  await until('the queue has more', () => holds(queue, '/usr/bin/p599'));
  const after = await scene.startServer();
  sameRows(await rows(after, lines.length + more.length), [...lines, ...more]);
});

test('a duplicate record counts once, also in its chain', options, async (t) => {
  const scene = await setScene(t);
  if (scene === undefined) return;
  const { bed } = scene;
  const clickhouse = await scene.startServer();
  await createTable(clickhouse);
  await clickhouse.query('SYSTEM STOP MERGES vcml.records');
  const { collector } = await scene.startCollector();
  const lines = execLines(0, 3);
  bed.start(collector);
  await bed.write(...lines);
  await rows(clickhouse, 3);
  await bed.write(...lines, execLine(3));
  sameRows(await rows(clickhouse, 4), [...lines, execLine(3)]);
  // There are more if a request was sent again.
  const count = 'SELECT count() >= 7 AS enough FROM vcml.records';
  deepEqual(await clickhouse.query(count), [{ enough: 1 }]);
  const chain = readFileSync('deploy/collector/chain.sql', 'utf8');
  equal((await clickhouse.query(chain, { id: idOf(execLine(2)) })).length, 3);
});

interface Scene {
  readonly bed: ExportBed;
  /** The folder of the collector's queue. */
  readonly queue: string;
  startServer(): Promise<ClickHouse>;
  startCollector(): Promise<{ readonly collector: number; readonly pipeline: Pipeline }>;
}

/** Prepares a bed in which nothing runs yet; skips the test if the engine cannot be installed. */
async function setScene(t: TestContext): Promise<Scene | undefined> {
  try {
    installEngine();
  } catch (error) {
    t.skip(`chdb cannot be installed here: ${error}`);
    return undefined;
  }
  const bed = await createExportBed(t);
  const [server, collector] = [await freePort(), await freePort()];
  const queue = join(bed.dir, 'queue');
  return {
    bed,
    queue,
    startServer: () => startClickHouse(t, join(bed.dir, 'clickhouse'), server),
    async startCollector() {
      const pipeline = await startPipeline(t, ['clickhouse'], {
        OTLP_LISTEN: `127.0.0.1:${collector}`,
        QUEUE_DIR: queue,
        CLICKHOUSE: `http://127.0.0.1:${server}?compress=none`,
      });
      return { collector, pipeline };
    },
  };
}

async function createTable(clickhouse: ClickHouse): Promise<void> {
  for (const statement of readFileSync('deploy/collector/clickhouse.sql', 'utf8').split(';\n'))
    if (statement.trim() !== '') await clickhouse.query(statement);
}

interface Row {
  readonly Nanos: string;
  readonly EventName: string;
  readonly SeverityNumber: number;
  readonly Body: string;
  readonly ScopeName: string;
  readonly Id: string;
  readonly ParentCause: string;
  readonly Object: string;
  readonly ResourceAttributes: Readonly<Record<string, string>>;
  readonly LogAttributes: Readonly<Record<string, string>>;
}

/** Waits for so many rows, and returns each once, in the order of their ids. */
async function rows(clickhouse: ClickHouse, count: number): Promise<Row[]> {
  for (const deadline = Date.now() + 120_000; ; await sleep(100)) {
    const found = await clickhouse.query<Row>(
      `SELECT toString(toUnixTimestamp64Nano(Timestamp)) AS Nanos, EventName, SeverityNumber, Body,
        ScopeName, Id, ParentCause, Object, ResourceAttributes, LogAttributes
      FROM vcml.records FINAL ORDER BY Id`,
    );
    if (found.length >= count) return found;
    if (Date.now() > deadline) throw new Error(`${found.length} of ${count} rows are there`);
  }
}

/** Compares rows with the lines of the journal, by the table in docs/export.md. */
function sameRows(found: readonly Row[], lines: readonly string[]): void {
  const expected = new Map(lines.map((line) => [idOf(line), line]));
  deepEqual(new Set(found.map(({ Id }) => Id)), new Set(expected.keys()));
  equal(found.length, expected.size);
  for (const row of found) {
    const line = expected.get(row.Id) ?? '';
    const { actor, action, object, permitted_by, parent_cause, ...rest } = JSON.parse(line);
    equal(row.Nanos, /"timestamp":(\d+)/.exec(line)?.[1]);
    equal(row.EventName, `vcml.${action}`);
    equal(row.SeverityNumber, action === 'journal.loss' ? 13 : 9);
    equal(row.ScopeName, 'vcml-agent');
    equal(row.ParentCause, parent_cause ?? '');
    equal(row.Object, object);
    equal(row.Body === '', false);
    sameAttributes(row.ResourceAttributes, rest.resource);
    sameAttributes(row.LogAttributes, {
      ...rest.attributes,
      'log.record.uid': rest.id,
      'process.pid': actor.pid,
      'process.parent_pid': actor.ppid,
      'process.real_user.id': actor.uid,
      'vcml.process.real_group.id': actor.gid,
      'vcml.process.comm': actor.comm,
      'vcml.object': object,
      'vcml.permitted_by': permitted_by,
      ...(parent_cause === null ? {} : { 'vcml.parent_cause': parent_cause }),
    });
  }
}

/** Compares attributes; the exporter writes every value as text, and an array as JSON. */
function sameAttributes(
  found: Readonly<Record<string, string>>,
  expected: Readonly<Record<string, unknown>>,
): void {
  deepEqual(Object.keys(found).toSorted(), Object.keys(expected).toSorted());
  for (const [key, value] of Object.entries(expected))
    if (Array.isArray(value)) deepEqual(JSON.parse(found[key] ?? ''), value);
    else equal(found[key], String(value));
}

function idOf(line: string): string {
  return JSON.parse(line).id;
}
