import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkJournal } from './check.ts';
import {
  BOOT,
  type Draft,
  draft,
  exec,
  execId,
  HOOK,
  lines,
  loss,
  rules,
  type Sound,
  sound,
  stop,
  time,
} from './craft.ts';
import { uuid5 } from './uuid.ts';

const broken: [string, string, (journal: Sound) => Iterable<Draft> | undefined][] = [
  ['a missing core key', 'core', ({ root }) => void Reflect.deleteProperty(root, 'permitted_by')],
  ['a core key too many', 'core', ({ root }) => void Object.assign(root, { extra: 1 })],
  ['an actor without comm', 'core', ({ root }) => void Reflect.deleteProperty(root.actor, 'comm')],
  ['a pid that is a string', 'type', ({ root }) => void Object.assign(root.actor, { ppid: '1' })],
  [
    'a quoted timestamp',
    'timestamp',
    ({ root }) => {
      root.timestamp = String(root.timestamp);
    },
  ],
  [
    'an id that is not recomputable',
    'id',
    ({ later }) => {
      later.id = execId(1, 1);
    },
  ],
  [
    'a journal record with a wrong n',
    'id',
    ({ stop: record }) => {
      record.id = uuid5(BOOT, `${record.attributes['vcml.boot_time']}:journal.stop:7`);
    },
  ],
  [
    'the same record twice',
    'duplicate',
    (j) => {
      j.child.attributes['vcml.boot_time'] = String(HOOK + 10n);
      j.child.timestamp = j.root.timestamp;
      j.child.id = j.root.id;
      j.child.actor.pid = 100;
      return undefined;
    },
  ],
  [
    'a child above its parent',
    'order',
    (j) => [j.start, j.child, j.root, j.loss, j.orphan, j.later, j.stop],
  ],
  [
    'a parent that is nowhere',
    'link',
    ({ child }) => {
      child.parent_cause = execId(11, 100);
    },
  ],
  [
    'a journal record as a parent',
    'link',
    (j) => {
      j.child.parent_cause = j.start.id;
      return undefined;
    },
  ],
  [
    'a parent later than its child',
    'time',
    (j) => {
      const late = exec(10, 101, 1, 1, { parent: execId(15, 100) });
      return [j.start, exec(15, 100, 0, 1), late, j.loss, j.orphan, j.later, j.stop];
    },
  ],
  [
    'a wrong permission',
    'permitted_by',
    ({ child }) => {
      child.permitted_by = 'unobserved_parent';
    },
  ],
  [
    'a wrong root event',
    'permitted_by',
    ({ stop: record }) => {
      record.permitted_by = 'root_event:stop';
    },
  ],
  [
    'a gap without a reason',
    'gap',
    ({ orphan }) => {
      delete orphan.attributes['vcml.gap.reason'];
      delete orphan.attributes['vcml.gap.lost_cause'];
    },
  ],
  [
    'a gap with a parent',
    'gap',
    ({ child }) => {
      child.attributes['vcml.gap.reason'] = 'untracked';
    },
  ],
  [
    'an ancestor without a start',
    'gap',
    ({ root }) => {
      delete root.attributes['vcml.gap.ancestor.start_time'];
    },
  ],
  [
    'an ancestor that does not predate',
    'gap',
    ({ root }) => {
      root.attributes['vcml.gap.ancestor.start_time'] = time(HOOK + 3_000_000n);
    },
  ],
  [
    'a lost cause that is there',
    'gap',
    ({ orphan, root }) => {
      orphan.attributes['vcml.gap.lost_cause'] = root.id;
    },
  ],
  [
    'a reason that is not on the list',
    'type',
    ({ root }) => {
      root.attributes['vcml.gap.reason'] = 'unknown';
      delete root.attributes['vcml.gap.ancestor.pid'];
      delete root.attributes['vcml.gap.ancestor.start_time'];
    },
  ],
  [
    'a number missing',
    'numbers',
    ({ later }) => {
      later.attributes['vcml.seq'] = 6;
    },
  ],
  [
    'a number twice',
    'numbers',
    ({ orphan }) => {
      orphan.attributes['vcml.seq'] = 1;
    },
  ],
  [
    'a cpu that was not there at the start',
    'numbers',
    ({ start: record }) => {
      record.attributes['vcml.hook.next_seq'] = [1];
    },
  ],
  [
    'a new hook that does not count from 1',
    'numbers',
    ({ start: record }) => {
      record.attributes['vcml.hook.next_seq'] = [1, 1, 5];
    },
  ],
  [
    'a loss of what is there',
    'loss',
    (j) => [...Object.values(j).slice(0, -1), loss(56, 2, 0, 1, 1), stop(60, 3, 4, 2, 4)],
  ],
  [
    'a loss that counts wrong',
    'loss',
    (j) => {
      j.loss.attributes['vcml.loss.count'] = 2;
      j.stop.attributes['vcml.journal.losses'] = 1;
      return undefined;
    },
  ],
  [
    'a loss of the kernel with numbers',
    'loss',
    (j) => {
      const kernel = loss(56, 2, 0, 6, 6, { 'vcml.loss.stage': 'kernel' });
      return [j.start, j.root, j.child, j.loss, j.orphan, j.later, kernel, stop(60, 3, 4, 2, 4)];
    },
  ],
  [
    'a loss that begins after it was seen',
    'loss',
    (j) => {
      const kernel = loss(56, 2, 0, 6, 6, { 'vcml.loss.stage': 'kernel' });
      for (const name of ['cpu', 'first_seq', 'last_seq', 'count'])
        delete kernel.attributes[`vcml.loss.${name}`];
      kernel.attributes['vcml.loss.since'] = '99000000000000';
      return [j.start, j.root, j.child, j.loss, j.orphan, j.later, kernel, stop(60, 3, 4, 2, 3)];
    },
  ],
  [
    'an attribute that nobody declared',
    'field',
    ({ root }) => {
      root.attributes['vcml.extra'] = 1;
    },
  ],
  [
    'a resource key that nobody declared',
    'field',
    ({ root }) => {
      root.resource['cloud.region'] = 'x';
    },
  ],
  [
    'a flag that is false',
    'type',
    ({ root }) => {
      root.attributes['vcml.executable.memfd'] = false;
    },
  ],
  [
    'a null',
    'type',
    ({ root }) => {
      root.attributes['vcml.process.tty'] = null;
    },
  ],
  [
    'an empty string',
    'type',
    ({ root }) => {
      root.attributes['vcml.process.tty'] = '';
    },
  ],
  [
    'capabilities that are too short',
    'type',
    ({ root }) => {
      root.attributes['vcml.process.capabilities.effective'] = '1ff';
    },
  ],
  [
    'a time in milliseconds',
    'type',
    ({ root }) => {
      root.attributes['process.creation.time'] = '2025-11-24T16:00:00.123Z';
    },
  ],
  [
    'a device that is a number',
    'type',
    ({ root }) => {
      root.attributes['vcml.executable.device'] = 2049;
    },
  ],
  [
    'a missing attribute',
    'missing',
    ({ root }) => {
      delete root.attributes['process.args_count'];
    },
  ],
  [
    'a missing host name',
    'missing',
    ({ root }) => {
      delete root.resource['host.name'];
    },
  ],
  [
    'a lone surrogate',
    'surrogate',
    ({ root }) => {
      root.attributes['vcml.process.tty'] = 'x\ud800';
    },
  ],
  [
    'a lone backslash',
    'escape',
    ({ root }) => {
      root.object = '/usr/bin/\\x4';
    },
  ],
  [
    'an escape of what is UTF-8',
    'escape',
    ({ root }) => {
      root.attributes['process.command_args'] = ['x', '\\xc3\\xa9'];
    },
  ],
  [
    'a comm of 16 bytes',
    'comm',
    ({ root }) => {
      root.actor.comm = 'ääääääää';
    },
  ],
  [
    'an object that is relative',
    'path',
    ({ root }) => {
      root.object = 'bin/x';
    },
  ],
  [
    'an object with a dot in it',
    'path',
    ({ root }) => {
      root.object = '/usr/./bin/x';
    },
  ],
  [
    'a name that is not of the path',
    'path',
    ({ root }) => {
      root.attributes['process.executable.name'] = 'y';
    },
  ],
  [
    'a wrong count of arguments',
    'arguments',
    ({ root }) => {
      root.attributes['process.args_count'] = 3;
    },
  ],
  [
    'arguments that are cut without a size',
    'arguments',
    ({ root }) => {
      root.attributes['vcml.process.args_truncated'] = true;
    },
  ],
  [
    'a process that began after its exec',
    'creation',
    ({ root }) => {
      root.attributes['process.creation.time'] = time(HOOK + 9_000_000n);
    },
  ],
  [
    'an offset that moved by less than a step',
    'offset',
    ({ stop: record }) => {
      record.timestamp = (record.timestamp as bigint) + 1n;
    },
  ],
  [
    'an entry on the host',
    'container',
    ({ root }) => {
      root.attributes['vcml.entry'] = 'start';
    },
  ],
  [
    'a unit that is none',
    'type',
    ({ root }) => {
      root.attributes['vcml.unit'] = 'a.slice';
    },
  ],
  [
    'sums that are wrong',
    'stop',
    ({ stop: record }) => {
      record.attributes['vcml.journal.gaps'] = 7;
    },
  ],
  ['a record behind the stop', 'run', (j) => [...Object.values(j), exec(70, 105, 0, 6)]],
  [
    'an unknown action',
    'action',
    (j) => {
      const odd = draft(60, 'journal.pause', 2, {});
      return [j.start, j.root, j.child, j.loss, j.orphan, j.later, odd];
    },
  ],
  [
    'a gap by a loss that nobody recorded',
    'gap',
    (j) => [j.start, j.root, j.child, j.orphan, exec(50, 104, 0, 2, { parent: execId(40, 103) })],
  ],
];

describe('a journal that breaks one rule has findings of exactly that rule', () => {
  for (const [name, rule, breakIt] of broken) {
    test(name, () => {
      const journal = sound();
      const records = breakIt(journal) ?? Object.values(journal);
      assert.deepEqual(rules(checkJournal(lines(records))), [rule]);
    });
  }
});
