import { deepEqual, equal, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { createLogRecordMaker } from '../../agent/export/log-record-maker.ts';
import { execLine, journalLine } from './lines.ts';

const recordOf = createLogRecordMaker('1.2.3');

test('the core fields become what the table says', () => {
  const record = recordOf(execLine(1, { object: '/bin/ls', comm: 'ls' }));
  equal(record.eventName, 'vcml.exec');
  equal(record.severityNumber, 9);
  equal(record.body, 'exec /bin/ls (pid 3)');
  equal(record.spanContext, undefined);
  const { attributes } = record;
  deepEqual(
    [
      ...[
        attributes['log.record.uid'],
        attributes['process.pid'],
        attributes['process.parent_pid'],
      ],
      ...[attributes['process.real_user.id'], attributes['vcml.process.real_group.id']],
      ...[attributes['vcml.process.comm'], attributes['vcml.object']],
      ...[attributes['vcml.permitted_by'], attributes['vcml.parent_cause']],
    ],
    [
      ...['00000000-0000-5000-8000-000000000001', 3, 1, 0, 4_294_967_294, 'ls', '/bin/ls'],
      ...['parent_process_context', '00000000-0000-5000-8000-000000000000'],
    ],
  );
});

test('an exec without a cause has no vcml.parent_cause', () => {
  const { attributes } = recordOf(execLine(0));
  equal('vcml.parent_cause' in attributes, false);
  equal(attributes['vcml.permitted_by'], 'unobserved_parent');
});

test('a timestamp keeps each of its 19 digits, and is the observed time too', () => {
  const line = execLine(0).replace(/"timestamp":\d+/, '"timestamp":1795403355999999999');
  deepEqual(recordOf(line).hrTime, [1_795_403_355, 999_999_999]);
  deepEqual(recordOf(line).hrTimeObserved, [1_795_403_355, 999_999_999]);
});

test('the scope names the agent and its version, the same object for every record', () => {
  const { instrumentationScope: scope } = recordOf(execLine(0));
  equal(scope.name, 'vcml-agent');
  equal(scope.version, '1.2.3');
  equal(recordOf(execLine(1)).instrumentationScope, scope);
});

test('equal resources are one object, others are others', () => {
  const resource = { 'host.name': 'a', 'container.id': 'c' };
  const one = recordOf(execLine(0, { resource }));
  equal(recordOf(execLine(1, { resource })).resource, one.resource);
  deepEqual(one.resource.attributes, resource);
  const other = recordOf(execLine(2, { resource: { ...resource, 'container.id': 'd' } }));
  equal(other.resource === one.resource, false);
});

test('attributes keep their types', () => {
  const { attributes, recurring } = recordOf(execLine(4, { args: ['a', ''] }));
  equal(attributes['vcml.boot_time'], '4000000000');
  equal(attributes['vcml.seq'], 4);
  equal(recurring.attributes['process.interactive'], true);
  deepEqual(recurring.attributes['process.command_args'], ['a', '']);
});

test('a loss is a warning that says how many', () => {
  const loss = ',"vcml.loss.stage":"ring_buffer","vcml.loss.cpu":0,"vcml.loss.count":298';
  const record = recordOf(journalLine('journal.loss', 1, loss));
  equal(record.severityNumber, 13);
  equal(record.eventName, 'vcml.journal.loss');
  equal(record.body, 'lost 298 records of cpu 0: ring_buffer');
  const unknown = recordOf(journalLine('journal.loss', 2, ',"vcml.loss.stage":"reboot"'));
  equal(unknown.body, 'lost an unknown number of records: reboot');
});

test('bodies say what a record about the journal, or a gap, is about', () => {
  const start = recordOf(journalLine('journal.start', 1, ',"vcml.hook.state":"resumed"'));
  equal(start.severityNumber, 9);
  equal(start.body, 'journal.start: hook resumed');
  const gap = recordOf(
    execLine(0, { object: '/bin/x' }).replace('"process.vpid"', '"vcml.gap.reason":"untracked",$&'),
  );
  equal(gap.body, 'exec /bin/x (pid 2), gap: untracked');
});

test('a body is one line, and not a long one', () => {
  const { body, attributes } = recordOf(execLine(0, { object: '/a\nb\u2028\u001b[1mc\u0085' }));
  equal(body, 'exec /a b  [1mc  (pid 2)');
  equal(attributes['vcml.object'], '/a\nb\u2028\u001b[1mc\u0085');
  const long = recordOf(execLine(0, { object: `${'a'.repeat(255)}😀${'b'.repeat(4000)}` }));
  equal(long.body, `exec ${'a'.repeat(255)}… (pid 2)`);
});

test('text that looks like a field inside a string changes nothing', () => {
  const object = '/","resource":{"host.name":"x"},"attributes":{"a":1},"timestamp":5';
  const record = recordOf(execLine(1, { object, comm: '"timestamp":1,' }));
  equal(record.attributes['vcml.object'], object);
  deepEqual(record.resource.attributes, { 'host.name': 'node-1', 'os.type': 'linux' });
  deepEqual(record.hrTime, [1_795_403_355, 1_000_003]);
});

for (const line of [
  '',
  'x',
  '{}',
  '[]',
  execLine(1).slice(0, -1),
  execLine(1).slice(20),
  '{"id":"a"}',
])
  test(`what is no line of a journal is refused: ${line.slice(0, 30)}`, () => {
    throws(() => recordOf(line), SyntaxError);
  });
