import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { ExportResultCode } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  LoggerProvider,
  type ReadableLogRecord,
  SimpleLogRecordProcessor,
} from '@opentelemetry/sdk-logs';
import { parseEndpoint } from '../../agent/export/connect/endpoint.ts';
import { GrpcTransport } from '../../agent/export/connect/grpc-transport.ts';
import { JournalLogsSerializer } from '../../agent/export/encode/journal-logs-serializer.ts';
import {
  JournalLogExporter,
  type JournalLogExporterOptions,
  type LogExportResult,
} from '../../agent/export/send/journal-log-exporter.ts';
import { outcomeOf } from '../../agent/export/send/outcome.ts';
import { execLines, sameLines } from '../support/journal/lines.ts';
import {
  type Collector,
  type CollectorOptions,
  startCollector,
} from '../support/otlp/collector.ts';
import { addLines, newRequests } from './encode.ts';

/** A collector, and an exporter that sends to it. */
async function connected(
  t: TestContext,
  options: CollectorOptions = {},
  more: Partial<JournalLogExporterOptions> = {},
): Promise<{ exporter: JournalLogExporter; collector: Collector }> {
  const collector = await startCollector(options);
  const transport = new GrpcTransport({
    endpoint: parseEndpoint(`http://127.0.0.1:${collector.port}`, false),
    compression: 'gzip',
    userAgent: 'test',
    credentials: () => NO_CREDENTIALS,
  });
  const exporter = new JournalLogExporter({
    serializer: new JournalLogsSerializer(),
    transport,
    timeoutMs: 10_000,
    ...more,
  });
  t.after(async () => {
    await exporter.shutdown();
    collector.kill();
  });
  return { exporter, collector };
}

const NO_CREDENTIALS = { authorities: undefined, chain: undefined, key: undefined, headers: {} };

function recordsOf(lines: readonly string[]): ReadableLogRecord[] {
  const requests = newRequests();
  addLines(requests, lines);
  return requests.records;
}

function exported(
  exporter: JournalLogExporter,
  records: ReadableLogRecord[],
): Promise<LogExportResult> {
  return new Promise((resolve) => exporter.export(records, resolve));
}

test('records of the journal reach the collector byte for byte', async (t) => {
  const { exporter, collector } = await connected(t);
  const lines = execLines(0, 100);
  deepEqual(await exported(exporter, recordsOf(lines)), { code: ExportResultCode.SUCCESS });
  sameLines(collector.lines, lines);
});

test('it is an exporter of the SDK: records of a logger reach the collector, too', async (t) => {
  const { exporter, collector } = await connected(t);
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({ 'host.name': 'node-1' }),
    processors: [new SimpleLogRecordProcessor({ exporter })],
  });
  provider.getLogger('any').emit({ eventName: 'any', body: 'text', attributes: { odd: 'ä' } });
  await provider.shutdown();
  equal(collector.lines.length, 1);
  match(collector.lines[0] ?? '', /"action":"any".*"host\.name":"node-1".*"odd":"ä"/);
});

test('encoded and plain records keep their order in one request', async (t) => {
  const { exporter, collector } = await connected(t);
  const lines = execLines(0, 9, { resource: { 'host.name': 'a' } });
  const encoded = recordsOf(lines);
  const plain = (index: number) => {
    const record = recordsOf(lines)[index];
    ok(record && 'plain' in record);
    return record.plain as ReadableLogRecord;
  };
  const mixed = encoded.map((record, n) => (n % 3 === 1 ? plain(n) : record));
  await exported(exporter, mixed);
  equal(collector.calls.length, 1);
  sameLines(collector.lines, lines);
});

test('a callback gets a partial success, and the next one does not get it again', async (t) => {
  const { exporter } = await connected(t, {
    answer: (_, call) =>
      call === 0 ? { kind: 'accept', rejected: 2, message: 'too old' } : { kind: 'accept' },
  });
  const first = await exported(exporter, recordsOf(execLines(0, 5)));
  deepEqual(outcomeOf(first), { kind: 'accepted', rejected: 2, message: 'too old' });
  const second = await exported(exporter, recordsOf(execLines(0, 5)));
  deepEqual(outcomeOf(second), { kind: 'accepted', rejected: 0, message: '' });
});

test('a callback gets the code, details and RetryInfo of a failure', async (t) => {
  const { exporter } = await connected(t, {
    answer: () => ({
      kind: 'fail',
      code: status.RESOURCE_EXHAUSTED,
      details: 'busy',
      retryAfterMs: 1500,
    }),
  });
  const result = await exported(exporter, recordsOf(execLines(0, 1)));
  equal(result.code, ExportResultCode.FAILED);
  deepEqual(outcomeOf(result), {
    kind: 'transient',
    code: 'RESOURCE_EXHAUSTED',
    details: 'busy',
    retryAfterMs: 1500,
  });
});

test('a callback can make the next call', async (t) => {
  const { exporter, collector } = await connected(t);
  const records = recordsOf(execLines(0, 3));
  const result = await new Promise((resolve) =>
    exporter.export(records, () => exporter.export(records, resolve)),
  );
  deepEqual(result, { code: ExportResultCode.SUCCESS });
  equal(collector.calls.length, 2);
});

test('an error of the serializer reaches the callback as a failure', async (t) => {
  const serializer = new JournalLogsSerializer();
  serializer.serializeRequest = () => {
    throw new TypeError('a fault');
  };
  const { exporter, collector } = await connected(t, {}, { serializer });
  const result = await exported(exporter, recordsOf(execLines(0, 1)));
  deepEqual(outcomeOf(result), { kind: 'refused', code: 'UNKNOWN', details: 'a fault' });
  equal(collector.calls.length, 0);
});
