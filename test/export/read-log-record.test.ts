import { deepEqual, equal, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import { readLogRecord } from '../../agent/export/encode/read-log-record.ts';
import { createScope } from '../../agent/export/encode/scope.ts';
import { execLine, hostileLines, journalLine } from '../support/journal/lines.ts';
import { decodeRequest } from '../support/otlp/protobuf.ts';
import { addLines, newRequests, requestOf, VERSION } from './encode.ts';
import { stockRecordOf, stockResource } from './reference.ts';

const SCOPE = createScope(VERSION);

const LINES = [
  ...hostileLines(300, 5),
  execLine(0).replace('"process.vpid"', '"vcml.gap.reason":"untracked",$&'),
  journalLine('journal.start', 1, ',"vcml.hook.state":"attached","vcml.hook.next_seq":[1,2]'),
  journalLine('journal.loss', 2, ',"vcml.loss.stage":"ring_buffer","vcml.loss.count":298'),
  journalLine('journal.stop', 3, ',"vcml.journal.records":9007199254740991'),
];

test('the stock serializer and the encoder give the same for a line', () => {
  const requests = newRequests();
  for (const line of LINES) {
    const stock = ProtobufLogsSerializer.serializeRequest([readLogRecord(line, SCOPE)]);
    deepEqual(
      decodeRequest(stock ?? new Uint8Array()),
      decodeRequest(requestOf(requests, [line])),
      line.slice(0, 2000),
    );
  }
});

test('an encoded record parses its line when a field is read', () => {
  const requests = newRequests();
  const resource = { 'host.name': 'node-1' };
  addLines(requests, [execLine(1, { resource }), execLine(2, { resource })]);
  const expected = stockRecordOf(execLine(2, { resource }), stockResource(resource));
  const record = requests.records[1];
  deepEqual(record?.attributes, expected.attributes);
  deepEqual(
    {
      hrTime: record?.hrTime,
      hrTimeObserved: record?.hrTimeObserved,
      severityNumber: record?.severityNumber,
      eventName: record?.eventName,
      body: record?.body,
      instrumentationScope: record?.instrumentationScope,
      droppedAttributesCount: record?.droppedAttributesCount,
    },
    {
      hrTime: expected.hrTime,
      hrTimeObserved: expected.hrTimeObserved,
      severityNumber: expected.severityNumber,
      eventName: expected.eventName,
      body: expected.body,
      instrumentationScope: expected.instrumentationScope,
      droppedAttributesCount: expected.droppedAttributesCount,
    },
  );
  deepEqual(record?.resource.attributes, resource);
  equal(record?.resource.schemaUrl, expected.resource.schemaUrl);
  equal(record?.plain, record?.plain);
});

for (const line of [
  '',
  'x',
  '{}',
  '[]',
  '{"id":"a"}',
  execLine(1).slice(0, -1),
  execLine(1).replace(/"pid":\d+/, '"pid":"1"'),
  execLine(1).replace(/"timestamp":\d+/, '"timestamp":1.5'),
  execLine(1).replace(/"object":"[^"]+"/, '"object":null'),
  execLine(1).replace(/"resource":\{[^}]+\}/, '"resource":[]'),
])
  test(`a line that is not a record is refused: ${line.slice(0, 30)}`, () => {
    throws(() => readLogRecord(line, SCOPE), SyntaxError);
  });
