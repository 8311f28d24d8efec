import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import { podShape } from '../../../agent/enrich/pods/pod-shape.ts';
import { readLogRecord } from '../../../agent/export/encode/read-log-record.ts';
import { createScope } from '../../../agent/export/encode/scope.ts';
import { retryDelayOf } from '../../../agent/export/send/retry-info.ts';
import { JsonSieve } from '../../../agent/kube/json-sieve.ts';
import { readPodEvent } from '../../../agent/kube/pod-event.ts';
import { logRecordsIn } from '../../../forensics/inputs/otlp.ts';
import { resourceLogsIn } from '../../../forensics/inputs/otlp-protobuf.ts';
import { writeExact } from '../../../record/exact-json.ts';
import { execLine } from '../../support/journal/lines.ts';
import { statusWithRetryInfo } from '../../support/otlp/collector.ts';
import { ROOT } from '../../support/paths.ts';
import type { Target } from './target.ts';

/** What is kept of a pod's JSON that arrives in pieces. */
function sieved(pieces: Iterable<Buffer>): unknown {
  const sieve = new JsonSieve(podShape({ label: () => true, annotation: () => false }));
  for (const piece of pieces) sieve.write(piece);
  return sieve.end();
}

/** Messages that a collector, the API server or the kubelet sends, or that an exporter wrote. */
export const MESSAGE_TARGETS: readonly Target[] = [
  {
    name: 'retry-info',
    property: 'any status requests a wait of some milliseconds, or none',
    seeds: [statusWithRetryInfo(8, 1500), statusWithRetryInfo(14, 0)],
    check(input) {
      const delay = retryDelayOf(input);
      assert.ok(delay === undefined || delay >= 0, `${delay}`);
    },
  },
  {
    name: 'pod-event',
    property: 'any message is an event of the kubelet, or is refused by an error',
    seeds: ['pod-added', 'pod-deleted'].map((name) =>
      Buffer.from(readFileSync(join(ROOT, `test/enrich/pods/${name}.base64`), 'ascii'), 'base64'),
    ),
    check(input) {
      try {
        assert.equal(typeof readPodEvent(input).type, 'number');
      } catch (error) {
        assert.ok(error instanceof Error && !(error instanceof assert.AssertionError), `${error}`);
      }
    },
  },
  {
    name: 'otlp-protobuf',
    property: 'any message has log records that are JSON, or is refused by an error',
    seeds: [0, 1].map((n) =>
      Buffer.from(
        ProtobufLogsSerializer.serializeRequest([
          readLogRecord(execLine(n, { args: ['a', 'b'] }), createScope('0.1.0')),
        ]) ?? [],
      ),
    ),
    check(input) {
      try {
        for (const json of resourceLogsIn(input))
          if (json !== undefined)
            for (const record of logRecordsIn([json]))
              if (record !== undefined) JSON.parse(writeExact(record));
      } catch (error) {
        assert.ok(error instanceof Error && !(error instanceof SyntaxError), `${error}`);
        assert.doesNotMatch(error.message, /call stack/);
      }
    },
  },
  {
    name: 'pod-json',
    property: 'of any text the same is kept, wherever it is cut into pieces',
    seeds: [
      '{"metadata":{"name":"a","labels":{"b":"\\u003c"}},"spec":{"containers":[{"name":"c"}]}}',
      '{"x":[{"y":"}\\""},-1.5e3,null],"status":{"startTime":null,"containerStatuses":[]}} ',
    ].map((text) => Buffer.from(text)),
    check(input) {
      const bytes = Array.from(input, (byte) => Buffer.of(byte));
      assert.deepEqual(sieved(bytes), sieved([Buffer.from(input)]));
    },
  },
];
