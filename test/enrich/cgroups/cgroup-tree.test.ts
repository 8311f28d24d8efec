import { deepEqual, equal, ok } from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { CgroupTree } from '../../../agent/enrich/cgroups/cgroup-tree.ts';
import type { CgroupIds } from '../../../record/types.ts';
import { procWith } from '../bed.ts';

const NONE = { appeared: () => {}, gone: () => {} };

/** Where the unified hierarchy is mounted here. */
function unified(): string {
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n'))
    if (line.includes(' - cgroup2 ')) return line.split(' ')[4] ?? '';
  throw new Error('no cgroup2 is mounted');
}

/** Ids as a process has them that is in the root of the other hierarchies. */
function idsOf(v2: bigint): CgroupIds {
  return { v2, memory: 1n, pids: 1n, memoryHierarchy: 0, pidsHierarchy: 0 };
}

test('cgroups that are there are found by their ids, and those that are gone are told', () => {
  const name = `vcml-test-${process.pid}`;
  const folder = `${unified()}/${name}`;
  mkdirSync(`${folder}/nested`, { recursive: true });
  const id = statSync(`${folder}/nested`, { bigint: true }).ino;
  const told: string[] = [];
  try {
    const tree = new CgroupTree({
      appeared: (_, path, made) => told.push(`${made ? 'made' : 'found'} ${path}`),
      gone: (_, path) => told.push(`gone ${path}`),
    });
    deepEqual(tree.places(idsOf(id)), {
      places: [{ path: `/${name}/nested`, line: `0::/${name}/nested` }],
      complete: true,
    });
    rmdirSync(`${folder}/nested`);
    tree.scan();
    deepEqual(
      told.filter((line) => line.includes(name)),
      [`found /${name}`, `found /${name}/nested`, `gone /${name}/nested`],
    );
    // What its last processes did is still to come.
    equal(tree.places(idsOf(id)).places[0]?.path, `/${name}/nested`);
  } finally {
    rmdirSync(folder);
  }
});

test('each cgroup whose event was lost is looked for, however soon after the last look', () => {
  const folders = ['a', 'b'].map((name) => `${unified()}/vcml-test-lost-${name}-${process.pid}`);
  const tree = new CgroupTree(NONE, '/proc', () => 0);
  try {
    for (const folder of folders) {
      mkdirSync(folder);
      const { ino } = statSync(folder, { bigint: true });
      equal(tree.places(idsOf(ino)).complete, false);
      equal(tree.find(idsOf(ino)).complete, true);
    }
  } finally {
    for (const folder of folders) if (existsSync(folder)) rmdirSync(folder);
  }
});

test('a cgroup whose event came without its path is looked for', () => {
  const name = `vcml-test-pathless-${process.pid}`;
  const folder = `${unified()}/${name}`;
  const tree = new CgroupTree(NONE, '/proc', () => 0);
  mkdirSync(folder);
  try {
    const { ino: id } = statSync(folder, { bigint: true });
    // also where the id was another's, whose end was lost
    tree.note({ kind: 'cgroup_mkdir', id, hierarchy: 0, path: '/before' });
    tree.note({ kind: 'cgroup_mkdir', id, hierarchy: 0, path: '' });
    deepEqual(tree.places(idsOf(id)), { places: [], complete: false });
    equal(tree.find(idsOf(id)).places[0]?.path, `/${name}`);
  } finally {
    rmdirSync(folder);
  }
});

test('an id that is not there is looked for once a second', () => {
  const nowhere = idsOf(0x7fff_ffff_0000n);
  const folder = `${unified()}/vcml-test-missing-${process.pid}`;
  let now = 0;
  const tree = new CgroupTree(NONE, '/proc', () => now);
  tree.find(nowhere);
  mkdirSync(folder);
  try {
    // Whether there was another look shows in whether it came by this folder.
    const { ino } = statSync(folder, { bigint: true });
    now = 999;
    equal(tree.find(nowhere).complete, false);
    equal(tree.places(idsOf(ino)).complete, false);
    now = 1000;
    equal(tree.find(nowhere).complete, false);
    equal(tree.places(idsOf(ino)).complete, true);
  } finally {
    rmdirSync(folder);
  }
});

test('no more than a tenth of the time is spent in looking', () => {
  const folder = `${unified()}/vcml-test-pause-${process.pid}`;
  let now = 0;
  let step = 10;
  const tree = new CgroupTree(NONE, '/proc', () => (now += step)); // a look lasts 10 ms
  step = 0;
  mkdirSync(folder);
  try {
    const { ino } = statSync(folder, { bigint: true });
    now += 89;
    equal(tree.find(idsOf(ino)).complete, false);
    now += 1;
    equal(tree.find(idsOf(ino)).complete, true);
  } finally {
    rmdirSync(folder);
  }
});

test('events name cgroups at once, of the hierarchies that count', () => {
  const tree = new CgroupTree(NONE);
  const id = 0x7fff_ffff_0000n;
  tree.note({ kind: 'cgroup_mkdir', id, hierarchy: 0, path: '/a' });
  tree.note({ kind: 'cgroup_mkdir', id, hierarchy: 99, path: '/b' });
  deepEqual(tree.places(idsOf(id)).places, [{ path: '/a', line: '0::/a' }]);
  const elsewhere = { ...idsOf(1n), memory: id, memoryHierarchy: 99 };
  deepEqual(tree.places(elsewhere), { places: [], complete: false });
  tree.note({ kind: 'cgroup_rmdir', id, hierarchy: 0 });
  equal(tree.places(idsOf(id)).places[0]?.path, '/a');
  tree.note({ kind: 'cgroup_mkdir', id, hierarchy: 0, path: '/c' });
  equal(tree.places(idsOf(id)).places[0]?.path, '/c');
});

test('cgroups whose ends were lost do not fill the memory', () => {
  let count = 0;
  const tree = new CgroupTree({ appeared: () => (count += 1), gone: () => (count -= 1) });
  const found = count;
  for (let n = 0n; n < 10_000n; n++)
    tree.note({ kind: 'cgroup_mkdir', id: 0x7fff_0000_0000n + n, hierarchy: 0, path: `/${n}` });
  // while the machine may make some of its own
  ok(count <= 2 * found + 2048, `${count} of ${found}`);
});

test('where the hierarchy is not to be seen, what events have told stays', () => {
  const proc = procWith('0::/\n');
  const gone: string[] = [];
  try {
    const tree = new CgroupTree({ appeared: () => {}, gone: (_, path) => gone.push(path) }, proc);
    tree.note({ kind: 'cgroup_mkdir', id: 60n, hierarchy: 0, path: '/a' });
    tree.scan();
    deepEqual(gone, []);
  } finally {
    rmSync(proc, { recursive: true });
  }
});

test('a process in every root is in the root', () => {
  deepEqual(new CgroupTree(NONE).places(idsOf(1n)), { places: [], complete: true });
});
