import { deepEqual, equal, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-grpc';
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import {
  execLine,
  execLines,
  hostileLines,
  journalLine,
  sameLines,
} from '../support/journal/lines.ts';
import { startCollector } from '../support/otlp/collector.ts';
import { linesOf } from '../support/otlp/otlp.ts';
import { decodeRequest } from '../support/otlp/protobuf.ts';
import { addLines, newRequests, requestOf } from './encode.ts';
import { stockRecordOf, stockResource } from './reference.ts';

const RESOURCE = { 'host.name': 'node-1' };

function serialized(lines: readonly string[]) {
  return decodeRequest(requestOf(newRequests(), lines));
}

test('ten thousand hostile records come back byte for byte, in their order', () => {
  const lines = hostileLines(10_000, 1);
  const requests = newRequests();
  for (let from = 0; from < lines.length; from += 500) {
    const some = lines.slice(from, from + 500);
    sameLines(linesOf(decodeRequest(requestOf(requests, some))), some);
  }
});

test('records about the journal come back byte for byte', () => {
  const lines = [
    journalLine(
      'journal.start',
      1,
      ',"vcml.format.version":1,"vcml.hook.next_seq":[1,4503599627370496]',
    ),
    journalLine('journal.loss', 2, ',"vcml.loss.stage":"reboot","vcml.loss.next_seq":[]'),
    journalLine('journal.stop', 3, ',"vcml.journal.records":9007199254740991'),
  ];
  sameLines(linesOf(serialized(lines)), lines);
});

test('the stock serializer gives the same for records of one resource', () => {
  const lines = [
    ...execLines(0, 50, { resource: RESOURCE }),
    execLine(51, { resource: RESOURCE, args: ['ä'.repeat(99)] }),
  ];
  const resource = stockResource(RESOURCE);
  const records = lines.map((line) => stockRecordOf(line, resource));
  const stock = ProtobufLogsSerializer.serializeRequest(records) ?? new Uint8Array();
  deepEqual(serialized(lines), decodeRequest(stock));
});

test('OTLPLogExporter delivers these records, and they come back byte for byte', async () => {
  const collector = await startCollector();
  const exporter = new OTLPLogExporter({ url: `http://127.0.0.1:${collector.port}` });
  const lines = execLines(0, 100, { resource: RESOURCE });
  const resource = stockResource(RESOURCE);
  const records = lines.map((line) => stockRecordOf(line, resource));
  const result = await new Promise((resolve) => exporter.export(records, resolve));
  await exporter.shutdown();
  collector.kill();
  deepEqual(result, { code: 0 });
  sameLines(collector.lines, lines);
});

test('consecutive records share one resource, and a resource is repeated after another one', () => {
  const [a, b] = [{ 'host.name': 'a' }, { 'host.name': 'b' }];
  const lines = [a, a, b, a].map((resource, n) => execLine(n, { resource }));
  const { resourceLogs } = serialized(lines);
  deepEqual(
    resourceLogs.map(({ scopeLogs }) => scopeLogs.map(({ logRecords }) => logRecords.length)),
    [[2], [1], [1]],
  );
  sameLines(linesOf({ resourceLogs }), lines);
});

test('trace ids are empty, and schemas and scope are set', () => {
  const { resourceLogs } = serialized([execLine(0)]);
  const scopeLogs = resourceLogs[0]?.scopeLogs[0];
  deepEqual(scopeLogs?.scope, { name: 'vcml-agent', version: '1.2.3' });
  equal(scopeLogs?.schemaUrl, 'https://opentelemetry.io/schemas/1.45.0');
  equal(resourceLogs[0]?.schemaUrl, scopeLogs?.schemaUrl);
  equal(scopeLogs?.logRecords[0]?.traceId, '');
  equal(scopeLogs?.logRecords[0]?.spanId, '');
});

for (const nanos of [
  1_000_000_000n,
  4_294_967_295_999_999_999n,
  1_795_403_355_123_456_789n,
  18_446_744_073_709_551_615n,
])
  test(`${nanos} nanoseconds are exact`, () => {
    const line = execLine(0).replace(/"timestamp":\d+/, `"timestamp":${nanos}`);
    const record = serialized([line]).resourceLogs[0]?.scopeLogs[0]?.logRecords[0];
    equal(record?.timeUnixNano, String(nanos));
    equal(record?.observedTimeUnixNano, String(nanos));
  });

test('a batch larger than the buffer is written whole, and so is the next one', () => {
  const requests = newRequests();
  for (const count of [1, 3, 2]) {
    const lines = execLines(0, count, { args: ['x'.repeat(300_000)] });
    sameLines(linesOf(decodeRequest(requestOf(requests, lines))), lines);
  }
});

for (const value of [
  '-1',
  '1.5',
  '1e3',
  '9007199254740992',
  'null',
  '{"a":1}',
  '[null]',
  '',
  'tru',
])
  test(`a value that no journal has is an error, and not another value: ${value}`, () => {
    const requests = newRequests();
    addLines(requests, [execLine(0)]);
    throws(() => addLines(requests, [execLine(1, { more: `,"odd":${value}` })]), SyntaxError);
    throws(
      () => addLines(requests, [execLine(1).replace('"vcml.boot.id"', `"odd":${value},$&`)]),
      SyntaxError,
    );
    addLines(requests, [execLine(1)]);
    sameLines(linesOf(decodeRequest(requests.request(0, 2))), execLines(0, 2));
  });

test('any sequence of records makes a request with their resources', () => {
  const requests = newRequests();
  const lines = Array.from({ length: 9 }, (_, n) =>
    execLine(n, { resource: { 'host.name': `node-${Math.floor(n / 3)}` } }),
  );
  addLines(requests, lines);
  for (let first = 0; first < 9; first++)
    for (let end = first + 1; end <= 9; end++)
      sameLines(linesOf(decodeRequest(requests.request(first, end))), lines.slice(first, end));
});

test('recurring attributes are the same the first, the second and each later time', () => {
  const requests = newRequests();
  const lines = [1, 2, 3, 4].flatMap(() => [
    ...execLines(0, 600, { executable: '/bin/ls' }).map(sameArguments),
    ...execLines(600, 620, { executable: '/bin/ls' }),
  ]);
  addLines(requests, lines);
  sameLines(linesOf(decodeRequest(requests.request(0, requests.count))), lines);
});

function sameArguments(line: string): string {
  return line.replace(
    /"process\.command_args":\["p","(\d+)"\]/,
    (_, n) => `"process.command_args":["p","${n % 7}"]`,
  );
}
