import { deepEqual, equal, match } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { rowsFor } from '../../../forensics/store/answer/fetch.ts';
import { lineOf } from '../../../forensics/store/answer/record-line.ts';
import { connect } from '../../../forensics/store/connect.ts';
import { KEYS } from '../../../record/fields.ts';
import { type Agent, startAgent } from '../../support/agent.ts';
import {
  type ClickHouse,
  createCluster,
  NO_CLICKHOUSE,
} from '../../support/clickhouse/clickhouse.ts';
import { exporterRow } from '../../support/clickhouse/exporter-row.ts';
import { addressOf, initStore } from '../../support/clickhouse/stored.ts';
import { vcml } from '../../support/forensics.ts';
import { freePorts } from '../../support/free-ports.ts';
import {
  execLine,
  execLines,
  hostileLines,
  idIn,
  journalLine,
  sameLines,
} from '../../support/journal/lines.ts';
import { createExportBed, type ExportBed } from '../../support/otlp/export-bed.ts';
import { until } from '../../support/until.ts';
import { type CiRun, EXECS_OF_STEP, runPipeline } from './ci-runner.ts';
import { NO_COLLECTOR } from './collector.ts';
import { holds, type Pipeline, startPipeline } from './pipeline.ts';

const TRACES = readFileSync('deploy/collector/traces.sql', 'utf8');
const options = { skip: NO_COLLECTOR || NO_CLICKHOUSE };

test('a store on two shards has every line byte for byte', options, async (t) => {
  const scene = await setScene(t, 2);
  await scene.start();
  await keepRows(scene.first);
  const lines = [
    journalLine(
      'journal.start',
      900_000,
      ',"vcml.hook.state":"attached","vcml.hook.next_seq":[1,2]',
    ),
    ...execLines(0, 3),
    ...hostileLines(500, 5).slice(3),
    journalLine('journal.loss', 900_001, ',"vcml.loss.stage":"ring_buffer","vcml.loss.count":3'),
  ];
  scene.bed.start((await scene.startCollector()).port);
  await scene.bed.write(...lines);
  await scene.holdsLines(lines);
  const rows = await scene.first.query(
    `SELECT toString(Timestamp) AS Timestamp, EventName, SeverityNumber, ResourceAttributes, LogAttributes
     FROM seen.otel ORDER BY LogAttributes['log.record.uid']`,
  );
  const expected = lines.map(exporterRow).toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
  deepEqual(
    rows.map(({ Timestamp, ...row }) => row),
    expected.map(({ Timestamp, ...row }) => row),
  );
  const chain = await vcml('chain', idIn(execLine(2)), scene.address, '--output', 'jsonl');
  sameLines(chain.stdout.trimEnd().split('\n'), [execLine(2), execLine(1), execLine(0)]);
});

test('nothing is lost while ClickHouse is down and the collector is killed', options, async (t) => {
  const scene = await setScene(t, 1);
  const { bed, queue } = scene;
  const lines = [journalLine('journal.start', 900_000, ''), ...execLines(0, 300)];
  const before = await scene.startCollector();
  match(before.pipeline.said(), /schema detection failed/);
  bed.start(before.port);
  await bed.write(...lines);
  await until('the queue has them on disk', () => holds(queue, '/usr/bin/p299'));
  await before.pipeline.stop('SIGKILL');
  await scene.startCollector();
  await scene.start();
  // If the exporter did not see the table, the table computes EventName.
  await scene.holdsLines(lines);
  await scene.first.kill();
  const more = execLines(300, 600);
  await bed.write(...more);
  await until('the queue has more', () => holds(queue, '/usr/bin/p599'));
  await scene.first.start();
  await scene.holdsLines([...lines, ...more]);
});

test('a store whose rows are not merged', options, async (t) => {
  const scene = await setScene(t, 2);
  await scene.start();
  for (const server of scene.servers) await server.query('SYSTEM STOP MERGES');
  const { port, httpPort } = await scene.startCollector('traces');
  await t.test('has a record that is sent again once', async () => {
    scene.bed.start(port);
    await scene.bed.write(...execLines(0, 3));
    await scene.holdsLines(execLines(0, 3));
    await scene.bed.write(...execLines(0, 4));
    await scene.holdsLines(execLines(0, 4));
    const [found] = await scene.first.query<{ enough: number }>(
      'SELECT count() >= 7 AS enough FROM vcml.records',
    );
    equal(found?.enough, 1);
  });
  await t.test('has what the steps of a pipeline caused beside their spans', async () => {
    const since = new Date(Date.now() - 60_000);
    const endpoint = ['--export-endpoint', `http://127.0.0.1:${port}`];
    const agent = await startAgent({ args: [...endpoint, '--trace-context', 'environment'] });
    t.after(() => agent.close());
    const runs = await Promise.all([
      runPipeline(httpPort, ['build', 'test']),
      runPipeline(httpPort, ['build']),
    ]);
    for (const run of runs) {
      const expected = (await recordsOf(agent, run)).toSorted(byId);
      const found = await until('the store has all execs of the trace, and its spans', async () => {
        const rows = await scene.execsOf(run.trace, since);
        const isWhole = rows.length >= expected.length && rows.every(({ span }) => span !== '');
        return isWhole && rows;
      });
      deepEqual(found.toSorted(byId), expected);
    }
  });
});

/** An exec beside its span, as traces.sql answers. */
interface ExecOfSpan {
  readonly service: string;
  readonly span: string;
  readonly span_id: string;
  readonly id: string;
  readonly isCarrying: boolean;
}

/** Returns what traces.sql should answer, from the journal of the node. */
async function recordsOf({ journal }: Agent, { trace, steps }: CiRun): Promise<ExecOfSpan[]> {
  const records = await journal.waitFor('all execs of the pipeline', (all) => {
    const own = all.filter(({ attributes }) => `${attributes[KEYS.args]}`.includes(trace));
    return own.length === steps.length * EXECS_OF_STEP ? own : undefined;
  });
  return steps.flatMap(({ name, spanId, mark }) =>
    records
      .filter(({ attributes }) => `${attributes[KEYS.args]}`.includes(mark))
      .map(({ id, attributes }) => {
        const isCarrying = attributes[KEYS.traceId] === trace;
        return { service: 'ci-runner', span: name, span_id: spanId, id, isCarrying };
      }),
  );
}

interface Scene {
  readonly bed: ExportBed;
  readonly servers: readonly ClickHouse[];
  readonly first: ClickHouse;
  /** as `vcml` names the store */
  readonly address: string;
  /** the folder of the collector's queue */
  readonly queue: string;
  /** Starts the servers, and makes a store on them. */
  start(): Promise<void>;
  /** Starts a collector with clickhouse.yaml, and with what is laid over it. */
  startCollector(...more: readonly string[]): Promise<Started>;
  /** Waits until the store has so many records, which must be those of these lines. */
  holdsLines(lines: readonly string[]): Promise<void>;
  /** Returns what traces.sql answers about a trace. */
  execsOf(trace: string, since: Date): Promise<ExecOfSpan[]>;
}

interface Started {
  readonly pipeline: Pipeline;
  /** of gRPC */
  readonly port: number;
  readonly httpPort: number;
}

/** Prepares a bed, and servers that do not run yet. */
async function setScene(t: TestContext, count: number): Promise<Scene> {
  const servers = await createCluster(t, count);
  const [first] = servers;
  if (first === undefined) throw new Error('there is no server');
  const bed = await createExportBed(t);
  const [port = 0, httpPort = 0] = await freePorts(2);
  const queue = join(bed.dir, 'queue');
  return {
    bed,
    servers,
    first,
    address: addressOf(first),
    queue,
    async start() {
      for (const server of servers) await server.start();
      for (const server of servers) await initStore(server);
    },
    async startCollector(...more) {
      const pipeline = await startPipeline(t, ['clickhouse', ...more], {
        OTLP_LISTEN: `127.0.0.1:${port}`,
        OTLP_HTTP_LISTEN: `127.0.0.1:${httpPort}`,
        QUEUE_DIR: queue,
        CLICKHOUSE: `clickhouse://127.0.0.1:${first.place.native}`,
      });
      return { pipeline, port, httpPort };
    },
    async holdsLines(lines) {
      const found = await until('the store has all records', async () => {
        const stored = await linesIn(first);
        return stored.length >= lines.length && stored;
      });
      sameLines(found, lines.toSorted());
    },
    async execsOf(trace, since) {
      const rows = await first.query<ExecOfSpan & { readonly depth: string }>(TRACES, {
        trace,
        since: since.toISOString().replace(/[TZ]/g, ' ').trim(),
      });
      return rows.map(({ service, span, span_id, id, depth }) => {
        return { service, span, span_id, id, isCarrying: Number(depth) === 0 };
      });
    },
  };
}

async function linesIn(server: ClickHouse): Promise<string[]> {
  await using store = connect(addressOf(server), {});
  const lines: string[] = [];
  for await (const rows of rowsFor(store, { since: '2001-01-01' }, Date.now()))
    lines.push(...rows.map(lineOf));
  return lines.sort();
}

function byId(one: { readonly id: string }, other: { readonly id: string }): number {
  return one.id < other.id ? -1 : 1;
}

/** Lets a server keep what the exporter inserts, as it inserts it. */
async function keepRows(server: ClickHouse): Promise<void> {
  await server.query('CREATE DATABASE seen');
  await server.query('CREATE TABLE seen.otel AS vcml.otel ENGINE = MergeTree ORDER BY Timestamp');
  await server.query('CREATE MATERIALIZED VIEW seen.rows TO seen.otel AS SELECT * FROM vcml.otel');
}

function idOf({
  LogAttributes,
}: {
  readonly LogAttributes: Readonly<Record<string, string>>;
}): string {
  return LogAttributes['log.record.uid'] ?? '';
}
