import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JournalLine } from '../../support/journal/followed-journal.ts';
import { compare, parseTruth } from './compare.ts';

const truth = parseTruth(
  [
    'moves 4 reused 1',
    '1 0 50 executed 100 200',
    '2 1 51 failed 300 0',
    '3 1 50 executed 400 0',
    '',
  ].join('\n'),
);

function record(image: number, parent: string | null, bootTime: number, pid: number): JournalLine {
  return {
    id: `id-${image}-${bootTime}`,
    timestamp: 0,
    actor: { pid, ppid: 1, uid: 0, gid: 0, comm: 'model' },
    action: 'exec',
    object: '/model',
    permitted_by: 'parent_process_context',
    parent_cause: parent,
    resource: {},
    attributes: {
      'process.command_args': ['model', `model:run:${image}`],
      'process.vpid': pid,
      'vcml.boot_time': String(bootTime),
    },
  };
}

const root = record(0, null, 1, 9);
const first = record(1, root.id, 150, 50);
const third = record(3, first.id, 450, 50);

test('a journal that agrees with the truth has no problems', () => {
  assert.deepEqual(compare(truth, [root, first, third], 'run'), []);
});

const wrong: [string, JournalLine[], RegExp][] = [
  ['a record missing', [root, first], /image 3 has 0 records/],
  ['a record doubled', [root, first, third, third], /image 3 has 2 records/],
  [
    'a record of an exec that failed',
    [root, first, third, record(2, first.id, 350, 51)],
    /image 2/,
  ],
  [
    'a record of what was never played',
    [root, first, third, record(9, null, 1, 1)],
    /never played/,
  ],
  ['a wrong cause', [root, first, record(3, root.id, 450, 50)], /its cause is id-0/],
  ['a gap', [root, first, record(3, null, 450, 50)], /a gap/],
  ['a wrong pid', [root, first, record(3, first.id, 450, 51)], /its pid is 51/],
  [
    'a wrong time',
    [root, record(1, root.id, 250, 50), record(3, 'id-1-250', 450, 50)],
    /boot time/,
  ],
];
for (const [name, records, problem] of wrong) {
  test(`${name} is found`, () => {
    assert.match(compare(truth, records, 'run').join('\n'), problem);
  });
}
