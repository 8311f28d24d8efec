import assert from 'node:assert/strict';
import { mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
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
import { bytesInUse } from '../support/memory.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const dir = temporaryFolder();

/** What begins at this tick of 10 ms. */
const startAt = (ticks: number) => ({
  seconds: Math.floor(ticks / 100),
  nanos: (ticks % 100) * 10_000_000 + 1234,
});

/** A /proc to which processes are added, and from which they are removed. */
function procIn(name: string) {
  const proc = join(dir, name);
  mkdirSync(proc);
  const fields = (ticks: number) =>
    Array.from({ length: 30 }, (_, n) => (n === 18 ? `${ticks}` : `${n}`)).join(' ');
  const remove = (pid: string) => rmSync(join(proc, pid), { recursive: true, force: true });
  return {
    proc,
    remove,
    set(pid: string, ticks: number, comm: string, exe?: string | Buffer) {
      remove(pid);
      mkdirSync(join(proc, pid));
      const stat = `${pid} (${comm}) S ${fields(ticks)}\n`;
      writeFileSync(join(proc, pid, 'stat'), Buffer.from(stat, 'latin1'));
      if (exe !== undefined) symlinkSync(exe, join(proc, pid, 'exe'));
    },
  };
}

test('what both readings agree on is kept, and the rest is unknown', () => {
  const { proc, set, remove } = procIn('twice');
  set('1', 5, 'init', '/sbin/init');
  set('2', 6, 'sh', '/bin/sh');
  set('3', 7, 'gone', '/bin/gone');
  set('4', 8, 'old', '/bin/old');
  set('5', 9, 'a', '/bin/same');
  const before = snapshotProcesses(proc);
  set('2', 6, 'app', '/usr/bin/app');
  remove('3');
  set('4', 99, 'reused', '/bin/reused');
  set('5', 9, 'b', '/bin/same');
  set('6', 98, 'new', '/bin/new');
  assert.deepEqual(agreeing(before, proc), {
    '1': [5, 'init', '/sbin/init'],
    '2': [6, undefined, undefined],
    '3': [7, 'gone', '/bin/gone'],
    '4': [8, 'old', '/bin/old'],
    '5': [9, undefined, '/bin/same'],
  });
});

test('a path of more than 1,024 bytes is unknown, and the process is not', () => {
  const { proc, set } = procIn('long');
  set('7', 1, 'longest', `/${'a'.repeat(1023)}`);
  set('8', 2, 'longer', `/${'a'.repeat(1024)}`);
  assert.deepEqual(snapshotProcesses(proc), {
    '7': [1, 'longest', `/${'a'.repeat(1023)}`],
    '8': [2, 'longer', undefined],
  });
});

test('a snapshot has at most 2 MiB, and names the processes with the lowest pids', async () => {
  const { proc, set } = procIn('many');
  const path = (n: number) => Buffer.concat([Buffer.alloc(1000, 0xff), Buffer.from(`/${n}`)]);
  for (let pid = 9500; pid < 10_500; pid++) set(`${pid}`, pid, 'idle', path(pid));
  const before = bytesInUse();
  const snapshot = agreeing(snapshotProcesses(proc), proc);
  const kept = bytesInUse() - before;
  assert.ok(kept < 4 << 20, `${kept} bytes`);
  const pids = Object.keys(snapshot).map(Number);
  assert.ok(pids.length > 300 && pids.length < 1000, `${pids.length} processes`);
  assert.deepEqual(
    pids,
    Array.from(pids, (_, n) => 9500 + n),
  );
  const file = join(dir, 'many.json');
  await saveSnapshot(file, '77', snapshot);
  assert.ok(statSync(file).size < (2 << 20) + 1024);
  assert.deepEqual(loadSnapshot(file, '77'), snapshot);
  assert.equal(ancestorOf(snapshot, 10_499, startAt(10_499)), undefined);
});

test('a snapshot of more than 4 MiB, as an earlier version saved it, names nobody', () => {
  const file = join(dir, 'large.json');
  const text = JSON.stringify({ hookId: '77', snapshot: { '42': [1234, 'sh', '/bin/sh'] } });
  writeFileSync(file, text.padEnd(4 << 20));
  assert.equal(ancestorOf(loadSnapshot(file, '77'), 42, startAt(1234))?.comm, 'sh');
  writeFileSync(file, text.padEnd((4 << 20) + 1));
  assert.deepEqual(loadSnapshot(file, '77'), {});
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
  const { proc, set } = procIn('hostile');
  set('10', 555, 'a) S (b', '/bin/x');
  set('11', 555, '\xff\\', '/bin/gone (deleted)');
  set('12', 555, 'kworker');
  mkdirSync(join(proc, '13'));
  mkdirSync(join(proc, 'self'));
  assert.deepEqual(snapshotProcesses(proc), {
    '10': [555, 'a) S (b', '/bin/x'],
    '11': [555, '\\xff\\\\', '/bin/gone'],
    '12': [555, 'kworker', undefined],
  });
});
