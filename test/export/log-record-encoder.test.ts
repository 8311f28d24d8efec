import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { execLine, hostileLines, journalLine } from '../support/journal/lines.ts';
import { type AnyValue, type KeyValue, linesOf } from '../support/otlp/otlp.ts';
import { decodeRequest } from '../support/otlp/protobuf.ts';
import { newRequests, requestOf } from './encode.ts';

/** Returns a line as a receiver decodes it. */
function recordOf(line: string, requests = newRequests()) {
  const { resourceLogs } = decodeRequest(requestOf(requests, [line]));
  const [{ resource, scopeLogs } = {}] = resourceLogs;
  const record = scopeLogs?.[0]?.logRecords[0];
  return {
    ...record,
    body: scalarOf(record?.body),
    resource: valuesOf(resource?.attributes),
    attributes: valuesOf(record?.attributes),
  };
}

function valuesOf(attributes: readonly KeyValue[] = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, scalarOf(value)]));
}

function scalarOf(value: AnyValue | undefined): unknown {
  if (value === undefined) return value;
  if ('arrayValue' in value) return value.arrayValue.values?.map(scalarOf) ?? [];
  return 'intValue' in value ? Number(value.intValue) : Object.values(value)[0];
}

test('the core fields are encoded as documented', () => {
  const record = recordOf(execLine(1, { object: '/bin/ls', comm: 'ls' }));
  equal(record.eventName, 'vcml.exec');
  equal(record.severityNumber, 9);
  equal(record.body, 'exec /bin/ls (pid 3)');
  const { attributes } = record;
  deepEqual(
    [
      attributes['log.record.uid'],
      attributes['process.pid'],
      attributes['process.parent_pid'],
      attributes['process.real_user.id'],
      attributes['vcml.process.real_group.id'],
      attributes['vcml.process.comm'],
      attributes['vcml.object'],
      attributes['vcml.permitted_by'],
      attributes['vcml.parent_cause'],
    ],
    [
      '00000000-0000-5000-8000-000000000001',
      3,
      1,
      0,
      4_294_967_294,
      'ls',
      '/bin/ls',
      'parent_process_context',
      '00000000-0000-5000-8000-000000000000',
    ],
  );
});

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

function lineWithTrace(
  n: number,
  traceId: string,
  spanId: string,
  flags = ',"vcml.trace.flags":1',
) {
  const ids = `,"vcml.trace.trace_id":"${traceId}","vcml.trace.span_id":"${spanId}"`;
  return execLine(n, { environment: `${ids}${flags}` });
}

test('a trace is that of the log record, and its attributes stay', () => {
  const { traceId, spanId, flags, attributes } = recordOf(lineWithTrace(1, TRACE, SPAN));
  deepEqual([traceId, spanId, flags], [TRACE, SPAN, 1]);
  deepEqual([attributes['vcml.trace.trace_id'], attributes['vcml.trace.span_id']], [TRACE, SPAN]);
  equal(attributes['vcml.trace.flags'], 1);
  equal(recordOf(lineWithTrace(1, TRACE, SPAN, '')).flags, 0);
});

test('each record of an invocation that recurs has its own trace, or none', () => {
  const requests = newRequests();
  const same = (n: number, environment: string) =>
    execLine(n, { object: '/bin/sh', args: ['sh'], environment });
  for (let n = 0; n < 20; n += 1) {
    const traceId = TRACE.replace('4b', `${n + 10}`);
    const ids = `,"vcml.trace.trace_id":"${traceId}","vcml.trace.span_id":"${SPAN}","vcml.trace.flags":${n}`;
    const traced = recordOf(same(n, ids), requests);
    deepEqual([traced.traceId, traced.flags], [traceId, n]);
    const { traceId: none, attributes } = recordOf(same(n, ''), requests);
    equal(none, '');
    equal('vcml.trace.trace_id' in attributes, false);
  }
});

for (const [traceId, spanId] of [
  ['0'.repeat(32), SPAN],
  [TRACE, '0'.repeat(16)],
  [TRACE.toUpperCase(), SPAN],
  [TRACE.slice(1), SPAN],
  [TRACE, `${SPAN}00`],
  ['', SPAN],
] as const)
  test(`ids that are not valid are attributes only: ${traceId} ${spanId}`, () => {
    const record = recordOf(lineWithTrace(1, traceId, spanId));
    deepEqual([record.traceId, record.spanId, record.flags], ['', '', 0]);
    equal(record.attributes['vcml.trace.trace_id'], traceId);
  });

test('an exec without a cause has no vcml.parent_cause', () => {
  const { attributes } = recordOf(execLine(0));
  equal('vcml.parent_cause' in attributes, false);
  equal(attributes['vcml.permitted_by'], 'unobserved_parent');
});

test('a timestamp keeps its 19 digits, and is the observed time, too', () => {
  const line = execLine(0).replace(/"timestamp":\d+/, '"timestamp":1795403355999999999');
  equal(recordOf(line).timeUnixNano, '1795403355999999999');
  equal(recordOf(line).observedTimeUnixNano, '1795403355999999999');
});

for (const timestamp of ['0', '999999999', '1000000000', '12345678901', '978307199999999999'])
  test(`a timestamp of a clock that is not set stays as it is: ${timestamp}`, () => {
    const line = execLine(0).replace(/"timestamp":\d+/, `"timestamp":${timestamp}`);
    equal(recordOf(line).timeUnixNano, timestamp);
  });

test('attributes keep their types', () => {
  const { attributes } = recordOf(execLine(4, { args: ['a', ''] }));
  equal(attributes['vcml.boot_time'], '4000000000');
  equal(attributes['vcml.seq'], 4);
  equal(attributes['process.interactive'], true);
  deepEqual(attributes['process.command_args'], ['a', '']);
});

test('a loss is a warning with the number of lost records', () => {
  const loss = ',"vcml.loss.stage":"ring_buffer","vcml.loss.cpu":0,"vcml.loss.count":298';
  const record = recordOf(journalLine('journal.loss', 1, loss));
  equal(record.severityNumber, 13);
  equal(record.eventName, 'vcml.journal.loss');
  equal(record.body, 'lost 298 records of cpu 0: ring_buffer');
  const unknown = recordOf(journalLine('journal.loss', 2, ',"vcml.loss.stage":"reboot"'));
  equal(unknown.body, 'lost an unknown number of records: reboot');
});

test('bodies describe records about the journal, and gaps', () => {
  const start = recordOf(journalLine('journal.start', 1, ',"vcml.hook.state":"resumed"'));
  equal(start.severityNumber, 9);
  equal(start.body, 'journal.start: hook resumed');
  const gap = recordOf(
    execLine(0, { object: '/bin/x' }).replace('"process.vpid"', '"vcml.gap.reason":"untracked",$&'),
  );
  equal(gap.body, 'exec /bin/x (pid 2), gap: untracked');
});

test('a body is one short line', () => {
  const { body, attributes } = recordOf(execLine(0, { object: '/a\nb\u2028\u001b[1mc\u0085' }));
  equal(body, 'exec /a b  [1mc  (pid 2)');
  equal(attributes['vcml.object'], '/a\nb\u2028\u001b[1mc\u0085');
  const long = recordOf(execLine(0, { object: `${'a'.repeat(255)}😀${'b'.repeat(4000)}` }));
  equal(long.body, `exec ${'a'.repeat(255)}… (pid 2)`);
});

test('a program that recurs has the same record each time, with the pid and the gap of its line', () => {
  const requests = newRequests();
  const withGap = (line: string) =>
    line.replace('"process.vpid"', '"vcml.gap.reason":"untracked",$&');
  const withPid = (line: string) => line.replace(/"pid":\d+/, '"pid":4194303');
  for (const line of [...hostileLines(300, 11), ...hostileLines(300, 11).toReversed()])
    for (const same of [line, withPid(line), line, withGap(line), withPid(line)])
      deepEqual(recordOf(same, requests), recordOf(same));
});

test('text that looks like a field inside a string changes nothing', () => {
  const object = '/","resource":{"host.name":"x"},"attributes":{"a":1},"timestamp":5';
  const record = recordOf(execLine(1, { object, comm: '"timestamp":1,' }));
  equal(record.attributes['vcml.object'], object);
  deepEqual(record.resource, { 'host.name': 'node-1', 'os.type': 'linux' });
  equal(record.timeUnixNano, '1795403355001000003');
});

for (const line of [
  '',
  'x',
  '{}',
  '[]',
  execLine(1).slice(0, -1),
  execLine(1).slice(20),
  '{"id":"a"}',
  execLine(0).replace(/"timestamp":\d+/, '"timestamp":18446744073709551616'),
])
  test(`a line that is not a record is refused: ${line.slice(0, 30)}`, () => {
    throws(() => requestOf(newRequests(), [line]), SyntaxError);
  });

test('a damaged line is refused, or read as JSON.parse reads it', () => {
  let state = 7;
  const below = (bound: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  const requests = newRequests();
  let accepted = 0;
  for (const [n, line] of hostileLines(5000, 3).entries()) {
    const bytes = Buffer.from(line);
    for (let changes = 0; changes < 1 + (n % 2); changes++) {
      const at = below(bytes.length);
      if (n % 3 === 0) bytes[at] = below(256);
      else bytes.copy(bytes, at, below(bytes.length));
    }
    const length = n % 5 === 0 ? below(bytes.length) : bytes.length;
    requests.clear();
    try {
      requests.add(bytes, 0, length);
    } catch (error) {
      ok(error instanceof SyntaxError, `${error}`);
      continue;
    }
    accepted += 1;
    const [found = ''] = linesOf(decodeRequest(requests.request(0, 1)));
    deepEqual(JSON.parse(found), JSON.parse(bytes.toString('utf8', 0, length)));
  }
  ok(accepted > 100 && accepted < 4000, `${accepted}`);
});
