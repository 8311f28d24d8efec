import assert from 'node:assert/strict';
import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  agreeing,
  ancestorOf,
  loadSnapshot,
  type Snapshot,
  saveSnapshot,
  snapshotProcesses,
} from '../../agent/source/ancestors.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const dir = temporaryFolder();

/** What begins at this tick of 10 ms. */
const startAt = (ticks: number) => ({
  seconds: Math.floor(ticks / 100),
  nanos: (ticks % 100) * 10_000_000 + 1234,
});

test('what both readings agree on is kept, and the rest is unknown', () => {
  const before: Snapshot = {
    '1': [5, 'init', '/sbin/init'],
    '2': [6, 'sh', '/bin/sh'],
    '3': [7, 'gone', '/bin/gone'],
    '4': [8, 'old', '/bin/old'],
    '5': [9, 'a', '/bin/same'],
  };
  const later: Snapshot = {
    '1': [5, 'init', '/sbin/init'],
    '2': [6, 'app', '/usr/bin/app'],
    '4': [99, 'reused', '/bin/reused'],
    '5': [9, 'b', '/bin/same'],
    '6': [98, 'new', '/bin/new'],
  };
  assert.deepEqual(agreeing(before, later), {
    '1': [5, 'init', '/sbin/init'],
    '2': [6, undefined, undefined],
    '3': [7, 'gone', '/bin/gone'],
    '4': [99],
    '5': [9, undefined, '/bin/same'],
    '6': [98],
  });
});

test('an ancestor is found by its pid and start, within a tick', () => {
  const snapshot: Snapshot = {
    '42': [1234, 'sh', '/bin/sh'],
    '43': [1234],
    '44': [1234, 'kthread'],
  };
  assert.deepEqual(ancestorOf(snapshot, 42, startAt(1234)), {
    comm: 'sh',
    executablePath: '/bin/sh',
  });
  assert.deepEqual(ancestorOf(snapshot, 42, startAt(1235))?.comm, 'sh');
  assert.equal(ancestorOf(snapshot, 42, startAt(1236)), undefined);
  assert.equal(ancestorOf(snapshot, 42, startAt(1232)), undefined);
  assert.equal(ancestorOf(snapshot, 41, startAt(1234)), undefined);
  assert.deepEqual(ancestorOf(snapshot, 43, startAt(1234)), {});
  assert.deepEqual(ancestorOf(snapshot, 44, startAt(1234)), { comm: 'kthread' });
});

test('a snapshot is loaded for its own hook only, and its file is 0600', async () => {
  const file = join(dir, 'kept.json');
  const snapshot: Snapshot = { '42': [1234, 'sh', '/bin/sh'], '43': [1234] };
  await saveSnapshot(file, '77', snapshot);
  assert.deepEqual(loadSnapshot(file, '77'), snapshot);
  assert.deepEqual(loadSnapshot(file, '78'), {});
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

const MALFORMED = [
  '',
  'null',
  '[]',
  '7',
  '{"hookId":"77"',
  '{"hookId":"77"}',
  '{"hookId":"77","snapshot":null}',
  '{"hookId":"77","snapshot":7}',
  '{"hookId":"77","snapshot":[]}',
  '{"hookId":"77","snapshot":{"42":null}}',
  '{"hookId":"77","snapshot":{"42":"sh"}}',
  '{"hookId":"77","snapshot":{"42":{}}}',
  '{"hookId":"77","snapshot":{"42":[]}}',
  '{"hookId":"77","snapshot":{"42":["x","sh","/bin/sh"]}}',
  '{"hookId":"77","snapshot":{"42":[null,"sh"]}}',
  '{"hookId":"77","snapshot":{"42":[1234,7,{}]}}',
];

for (const [n, text] of MALFORMED.entries())
  test(`a malformed snapshot names no ancestor: ${text || 'empty'}`, () => {
    const file = join(dir, `malformed-${n}.json`);
    writeFileSync(file, text);
    const found = ancestorOf(loadSnapshot(file, '77'), 42, startAt(1234));
    assert.deepEqual(found ?? {}, {});
  });

test('a missing file or a folder gives an empty snapshot', () => {
  assert.deepEqual(loadSnapshot(join(dir, 'absent'), '77'), {});
  assert.deepEqual(loadSnapshot(dir, '77'), {});
});

test('processes with hostile names, deleted files and no files are read', () => {
  const proc = join(dir, 'proc');
  const add = (pid: string, comm: string, exe?: string) => {
    mkdirSync(join(proc, pid), { recursive: true });
    const fields = Array.from({ length: 30 }, (_, n) => (n === 18 ? '555' : `${n}`)).join(' ');
    writeFileSync(join(proc, pid, 'stat'), Buffer.from(`${pid} (${comm}) S ${fields}\n`, 'latin1'));
    if (exe !== undefined) symlinkSync(exe, join(proc, pid, 'exe'));
  };
  add('10', 'a) S (b', '/bin/x');
  add('11', '\xff\\', '/bin/gone (deleted)');
  add('12', 'kworker');
  mkdirSync(join(proc, '13'));
  mkdirSync(join(proc, 'self'));
  assert.deepEqual(snapshotProcesses(proc), {
    '10': [555, 'a) S (b', '/bin/x'],
    '11': [555, '\\xff\\\\', '/bin/gone'],
    '12': [555, 'kworker', undefined],
  });
});
