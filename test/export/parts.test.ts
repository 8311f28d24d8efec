import { deepEqual, doesNotThrow, equal, ok, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-grpc';
import { parseEndpoint } from '../../agent/export/connect/endpoint.ts';
import { parseHeaderList } from '../../agent/export/connect/headers.ts';
import { RecentLines } from '../../agent/export/read/recent-lines.ts';
import { backoffMs } from '../../agent/export/send/backoff.ts';
import { retryDelayOf } from '../../agent/export/send/retry-info.ts';
import { statusWithRetryInfo } from '../support/otlp/collector.ts';

for (const [text, insecure, target, tls] of [
  ['http://collector:4317', false, 'collector:4317', false],
  ['https://collector:4317', true, 'collector:4317', true],
  ['HTTPS://Collector', false, 'Collector:4317', true],
  ['https://collector:443/', false, 'collector:443', true],
  ['http://10.0.0.1', false, '10.0.0.1:4317', false],
  ['http://[fd00::1]:4318', false, '[fd00::1]:4318', false],
  ['collector.svc:4317', false, 'collector.svc:4317', true],
  [' collector.svc:4317 ', true, 'collector.svc:4317', false],
  ['localhost', true, 'localhost:4317', false],
  ['unix:///run/otel.sock', false, 'unix:///run/otel.sock', false],
] as const)
  test(`the endpoint ${text}${insecure ? ', insecure,' : ''} is ${target}${tls ? ' with TLS' : ''}`, () => {
    deepEqual(parseEndpoint(text, insecure), { target, tls });
  });

for (const text of [
  '',
  'http://',
  'ftp://a:1',
  'a:b',
  'a:0',
  'a:65536',
  'http://a:1/v1/logs',
  'a b',
  'http://u@a',
  'unix://run/otel.sock',
])
  test(`${JSON.stringify(text)} is not an endpoint`, () => {
    throws(() => parseEndpoint(text, false), { code: 'EXPORT_ENDPOINT_INVALID' });
  });

test('headers are read as in W3C Baggage', () => {
  deepEqual(parseHeaderList('a=1, X-Tenant = shop%20one ,,empty=,pad=YQ=='), {
    a: '1',
    'x-tenant': 'shop one',
    empty: '',
    pad: 'YQ==',
  });
  deepEqual(parseHeaderList(''), {});
});

for (const text of [
  'a',
  'a b=1',
  '=1',
  'a=%0a',
  'grpc-timeout=1',
  'x-bin=1',
  'ä=1',
  // The value that OTLPLogExporter reads ends at the semicolon, and cannot be sent.
  'a=%00;%zz',
  'a=1,b=%e2%82%ac;%',
])
  test(`${JSON.stringify(text)} is not a list of headers`, () => {
    throws(() => parseHeaderList(text), Error);
  });

test('OTLPLogExporter accepts every valid list of headers', (t) => {
  t.after(() => {
    delete process.env.OTEL_EXPORTER_OTLP_HEADERS;
  });
  let accepted = 0;
  for (const end of textsOf(['b', '=', ';', ',', '%00', '%2e', '%zz'], 4)) {
    const text = `a=${end}`;
    try {
      parseHeaderList(text);
    } catch {
      continue;
    }
    process.env.OTEL_EXPORTER_OTLP_HEADERS = text;
    doesNotThrow(() => new OTLPLogExporter(), text);
    accepted += 1;
  }
  ok(accepted > 100, `${accepted}`);
});

/** Returns all texts of at most this many of these parts. */
function textsOf(parts: readonly string[], max: number): readonly string[] {
  if (max === 0) return [''];
  const shorter = textsOf(parts, max - 1);
  return ['', ...parts.flatMap((part) => shorter.map((text) => part + text))];
}

test('back-off doubles up to a limit below two seconds, and half of it is random', () => {
  deepEqual(
    [1, 2, 3, 4].map((failures) => backoffMs(failures, () => 1)),
    [100, 200, 400, 800],
  );
  deepEqual(
    [1, 2, 3, 4].map((failures) => backoffMs(failures, () => 0)),
    [50, 100, 200, 400],
  );
  for (const failures of [5, 10, 1000, 1e9])
    equal(
      backoffMs(failures, () => 1),
      1200,
    );
});

test('RetryInfo is found among other details', () => {
  equal(retryDelayOf(statusWithRetryInfo(8, 1500)), 1500);
  equal(retryDelayOf(statusWithRetryInfo(8, 0)), 0);
  equal(retryDelayOf(statusWithRetryInfo(14, 86_400_000)), 86_400_000);
});

test('a negative delay requests no wait', () => {
  const minusOne = [...Array(9).fill(0xff), 0x01];
  for (const field of [0x08, 0x10]) {
    const duration = Buffer.from([field, ...minusOne]);
    const whole = statusWithRetryInfo(8, duration);
    equal(retryDelayOf(whole), 0);
  }
});

test('a status without RetryInfo, or a damaged one, requests nothing', () => {
  equal(retryDelayOf(undefined), undefined);
  equal(retryDelayOf(new Uint8Array()), undefined);
  equal(retryDelayOf(Buffer.from('any text at all')), undefined);
  const whole = statusWithRetryInfo(8, 1500);
  for (let length = 0; length < whole.length; length++) {
    const delay = retryDelayOf(whole.subarray(0, length));
    ok(delay === undefined || delay === 0 || delay === 1000, `${length}: ${delay}`);
  }
});

/** Pushes a chunk of whole lines, each of four bytes. */
function push(recent: RecentLines, segment: number, from: number, count: number): void {
  const text = Array.from(
    { length: count },
    (_, n) => `${segment}${String(from / 4 + n).padStart(2, '0')}\n`,
  );
  const bytes = Buffer.from(text.join(''));
  recent.push(bytes, bytes.length, { segment, offset: from + bytes.length });
}

/** Returns the lines that a reader gets at this position. */
function taken(recent: RecentLines, segment: number, offset: number): string[] | undefined {
  const chunk = recent.take({ segment, offset });
  if (chunk === undefined) return undefined;
  const from = chunk.segment === segment ? offset - chunk.from : 0;
  return chunk.bytes.toString('utf8', from).trim().split('\n');
}

test('the newest line is known, also once it is taken or dropped', () => {
  const recent = new RecentLines({ segment: 1, offset: 8 }, 8);
  push(recent, 1, 8, 3);
  deepEqual(recent.newest, { bytes: Buffer.from('104\n'), start: { segment: 1, offset: 16 } });
  push(recent, 2, 0, 1);
  deepEqual(taken(recent, 2, 0), ['200']);
  deepEqual(recent.newest, { bytes: Buffer.from('200\n'), start: { segment: 2, offset: 0 } });
});

test('lines in memory are contiguous, also across segments', () => {
  const recent = new RecentLines({ segment: 1, offset: 8 }, 1000);
  push(recent, 1, 8, 2);
  push(recent, 2, 0, 1);
  push(recent, 2, 4, 1);
  deepEqual(taken(recent, 1, 8), ['102', '103']);
  deepEqual(taken(recent, 1, 16), ['200']);
  deepEqual(taken(recent, 2, 4), ['201']);
  equal(taken(recent, 2, 8), undefined);
  ok(recent.isEnd({ segment: 2, offset: 8 }));
});

test('a reader that returns from the disk can begin inside a chunk', () => {
  const recent = new RecentLines({ segment: 1, offset: 8 }, 1000);
  push(recent, 1, 8, 3);
  push(recent, 1, 20, 1);
  equal(taken(recent, 1, 4), undefined);
  deepEqual(taken(recent, 1, 12), ['103', '104']);
  deepEqual(taken(recent, 1, 20), ['105']);
});

test('a reader that is ahead of the kept lines drops them', () => {
  const recent = new RecentLines({ segment: 1, offset: 0 }, 1000);
  push(recent, 1, 0, 2);
  push(recent, 2, 0, 2);
  deepEqual(taken(recent, 2, 4), ['201']);
});

test('beyond the limit the oldest lines are dropped, and only the disk has them', () => {
  const recent = new RecentLines({ segment: 1, offset: 0 }, 12);
  push(recent, 1, 0, 2);
  push(recent, 1, 8, 2);
  equal(taken(recent, 1, 0), undefined);
  deepEqual(taken(recent, 1, 8), ['102', '103']);
});

test('memory is reused, except that of lines that wait or are being read', () => {
  const size = 100_000;
  const recent = new RecentLines({ segment: 1, offset: 0 }, 100 * size);
  const pushed = (n: number) =>
    recent.push(Buffer.alloc(size, n), size, { segment: 1, offset: (n + 1) * size });
  const memories = new Set<Buffer>();
  for (let n = 0; n < 3; n++) pushed(n);
  for (let n = 0; n < 50; n++) {
    const chunk = recent.take({ segment: 1, offset: n * size });
    ok(chunk);
    memories.add(chunk.memory);
    pushed(n + 3);
    ok(chunk.bytes.equals(Buffer.alloc(size, n)));
  }
  ok(memories.size <= 5, `${memories.size}`);
});

test('a wait ends at once for new lines, and for lines from before the wait', async () => {
  const recent = new RecentLines({ segment: 1, offset: 0 }, 1000);
  const { signal } = new AbortController();
  const waiting = recent.news(0, signal);
  push(recent, 1, 0, 1);
  await waiting;
  await recent.news(0, signal);
  await recent.news(1, signal, 1);
  await recent.news(1, AbortSignal.abort());
});
