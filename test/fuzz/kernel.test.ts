import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readControllers, readMounts } from '../../agent/enrich/cgroups/cgroup-files.ts';
import { containerOf } from '../../agent/enrich/cgroups/container-path.ts';
import { readLines } from '../../agent/journal/read.ts';
import { cutTornTail } from '../../agent/journal/torn-tail.ts';
import { snapshotProcesses } from '../../agent/source/ancestors.ts';
import { decodeEscapes } from '../check/escapes.ts';
import { readLinesSync } from '../support/journal/read-lines.ts';
import { segmentName } from '../support/journal/segment-name.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { fuzz } from './fuzz.ts';

const dir = temporaryFolder();

const ID = 'f'.repeat(64);
const UID = '0b77aabb-1122-4333-8444-555566667777';
const CGROUPS = [
  `/kubepods/burstable/pod${UID}/${ID}`,
  `/kubepods.slice/kubepods-pod${UID.replaceAll('-', '_')}.slice/cri-containerd-${ID}.scope`,
  `/kubelet.slice/kubelet-kubepods-pod${UID.replaceAll('-', '_')}.slice:cri-containerd:${ID}`,
  `/system.slice/docker-${ID}.scope/nested`,
  `/docker/${ID}`,
];

test('a container in any damaged cgroup path has an id, and its root is on the path', () =>
  fuzz((random) => {
    const path = random.damaged(Buffer.from(random.pick(CGROUPS))).toString();
    const found = containerOf(path);
    if (found === undefined) return;
    assert.match(found.id, /^[0-9a-f]{64}$/);
    assert.ok(path === found.root || path.startsWith(`${found.root}/`), path);
    if (found.podUid !== undefined) assert.match(found.podUid, /^[0-9a-f-]{32,36}$/);
  }));

test('the longest cgroup path of the kernel is read in linear time', () => {
  const parts = ['a-', 'kubepods-', 'kubepods', `pod${UID}`, '-pod', '/', '.slice', ':', ID];
  return fuzz((random) => {
    let path = '/';
    while (path.length < 4096) path += random.pick(parts).repeat(1 + random.below(30));
    const from = process.cpuUsage().user;
    containerOf(path);
    // Far more than it takes; backtracking would take minutes.
    assert.ok(process.cpuUsage().user - from < 2e6, path);
  });
});

const SEGMENT = join(dir, segmentName(1));
const LINES = Buffer.from('{"action":"exec","n":1}\n{"action":"exec","n":22}\n'.repeat(3));

test('both readers give the same lines of a damaged journal', () =>
  fuzz(async (random) => {
    writeFileSync(SEGMENT, random.damaged(LINES));
    const bytes = readFileSync(SEGMENT);
    const from = { segment: 1, offset: random.below(bytes.length + 20) };
    const sync = readLinesSync(dir, from);
    const async = [];
    for await (const line of readLines(dir, from)) async.push(line);
    assert.deepEqual(async, sync);
    for (const { offset } of sync) assert.equal(bytes[offset - 1], 0x0a);
  }));

test('after its torn tail is cut, a segment has whole lines, and those before the damage stay', () =>
  fuzz(async (random) => {
    const tail = random.damaged(LINES);
    writeFileSync(SEGMENT, Buffer.concat([LINES, tail]));
    const file = await open(SEGMENT, 'r+');
    const cut = await cutTornTail(file);
    await file.close();
    const left = readFileSync(SEGMENT);
    assert.equal(left.length + cut, LINES.length + tail.length);
    assert.ok(left.subarray(0, LINES.length).equals(LINES));
    assert.equal(left.at(-1), 0x0a);
    assert.ok(!left.includes(0));
  }));

const STAT = Buffer.from(`42 (a) b) S 1 42 42 ${'0 '.repeat(15)}7777 0 0\n`);

test('any text in /proc/PID/stat is a start and a printable name, or neither', () => {
  const process = join(dir, 'proc/42');
  mkdirSync(process, { recursive: true });
  symlinkSync(Buffer.from([0x2f, 0xff, 0x5c]), join(process, 'exe'));
  return fuzz((random) => {
    writeFileSync(join(process, 'stat'), random.damaged(STAT));
    const [ticks, comm = '', path = ''] = snapshotProcesses(join(dir, 'proc'))[42] ?? [0];
    assert.equal(typeof ticks, 'number');
    assert.ok(decodeEscapes(comm));
    assert.equal(path, '/\\xff\\\\');
  });
});

test('any text in /proc/self/cgroup and mountinfo gives hierarchies or none', () => {
  const cgroup = Buffer.from('12:pids:/a\n4:memory,cpu:/b\n0::/\n');
  const mounts = Buffer.from(
    '25 20 0:22 / / rw - cgroup2 none rw\n26 20 0:23 / / rw shared:9 - cgroup none rw,memory\n',
  );
  const file = join(dir, 'text');
  return fuzz((random) => {
    writeFileSync(file, random.damaged(cgroup));
    for (const names of readControllers(file).values()) assert.match(names, /memory|pids/);
    writeFileSync(file, random.damaged(mounts));
    for (const { root, point } of readMounts(file)) assert.ok(root && point);
  });
});
