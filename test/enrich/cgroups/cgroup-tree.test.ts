import { deepEqual, equal, ok } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  type CgroupListener,
  CgroupTree,
  type CgroupTreeOptions,
} from '../../../agent/enrich/cgroups/cgroup-tree.ts';
import type { CgroupIds } from '../../../record/types.ts';
import { procWith } from '../bed.ts';

const NOBODY: CgroupListener = { appeared: () => {}, gone: () => {} };

/** A tree that has looked at what is there, on a kernel side that keeps these names. */
function treeOf(options: Partial<CgroupTreeOptions> = {}): CgroupTree {
  const tree = new CgroupTree({ listener: NOBODY, nameOf: () => undefined, ...options });
  tree.scan();
  return tree;
}

/** The heap without garbage. */
function bytesUsed(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

/** The name of a container's own cgroup. */
function scopeOf(name: string): string {
  return `docker-${createHash('sha256').update(name).digest('hex')}.scope`;
}

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

test('cgroups that are there are found by their ids, and containers that come and go are reported', () => {
  const name = scopeOf(`found ${process.pid}`);
  const folder = `${unified()}/${name}`;
  mkdirSync(`${folder}/nested`, { recursive: true });
  const own = statSync(folder, { bigint: true }).ino;
  const id = statSync(`${folder}/nested`, { bigint: true }).ino;
  const heard: string[] = [];
  try {
    const tree = treeOf({
      listener: {
        appeared: (_, { root }, made) => heard.push(`${made ? 'made' : 'found'} ${root}`),
        gone: (_, { root }) => heard.push(`gone ${root}`),
      },
    });
    deepEqual(tree.places(idsOf(id)), {
      places: [{ path: `/${name}/nested`, line: `0::/${name}/nested` }],
      complete: true,
    });
    rmdirSync(`${folder}/nested`);
    rmdirSync(folder);
    tree.scan();
    deepEqual(
      heard.filter((line) => line.includes(name)),
      [`found /${name}`, `gone /${name}`],
    );
    // What its last processes did is still to come.
    equal(tree.places(idsOf(id)).places[0]?.path, `/${name}/nested`);
    equal(tree.places(idsOf(own)).places[0]?.path, `/${name}`);
  } finally {
    if (existsSync(`${folder}/nested`)) rmdirSync(`${folder}/nested`);
    if (existsSync(folder)) rmdirSync(folder);
  }
});

test('a cgroup that is gone is named by what the kernel side keeps of it and of those above it', () => {
  const names = new Map([
    ['0:70', { parent: 71n, name: 'app' }],
    ['0:71', { parent: 72n, name: 'b\\\\x2dc' }],
    ['0:72', { parent: 1n, name: 'top' }],
    ['0:80', { parent: 81n, name: 'orphan' }],
    ['0:90', { parent: 90n, name: 'circle' }],
  ]);
  const asked: string[] = [];
  const tree = treeOf({
    nameOf: (hierarchy, id) => {
      asked.push(`${hierarchy}:${id}`);
      return names.get(`${hierarchy}:${id}`);
    },
  });
  const path = '/top/b\\\\x2dc/app';
  deepEqual(tree.places(idsOf(70n)), { places: [{ path, line: `0::${path}` }], complete: true });
  deepEqual(asked, ['0:70', '0:71', '0:72']);
  tree.places(idsOf(70n));
  equal(asked.length, 3, 'asked once');
  equal(tree.places(idsOf(80n)).complete, false, 'its parent is not known');
  tree.note({ kind: 'cgroup_mkdir', id: 81n, hierarchy: 0, path: '/above' });
  equal(tree.places(idsOf(80n)).places[0]?.path, '/above/orphan');
  equal(tree.places(idsOf(90n)).complete, false, 'a table that makes no sense ends');
});

test('a name that is no UTF-8 or has a backslash is the same from an event and from a look', () => {
  const name = Buffer.from(`vcml-\\x2d-\xff-${process.pid}`, 'latin1');
  const folder = Buffer.concat([Buffer.from(`${unified()}/`), name]);
  mkdirSync(folder);
  try {
    const { ino } = statSync(folder, { bigint: true });
    const { places } = treeOf().places(idsOf(ino));
    equal(places[0]?.path, `/vcml-\\\\x2d-\\xff-${process.pid}`);
  } finally {
    rmdirSync(folder);
  }
});

test('forty thousand cgroups with long names push no container out, and little stays of them', () => {
  const own = '/docker/'.concat(createHash('sha256').update('own').digest('hex'));
  const tree = treeOf();
  tree.note({ kind: 'cgroup_mkdir', id: 60n, hierarchy: 0, path: own });
  tree.note({ kind: 'cgroup_mkdir', id: 61n, hierarchy: 0, path: `${own}/nested` });
  equal(tree.places(idsOf(61n)).places[0]?.path, `${own}/nested`);
  const before = bytesUsed();
  for (let n = 0; n < 40_000; n++) {
    const path = `${own}/${'x'.repeat(240)}${n}/${'y'.repeat(250)}`;
    tree.note({ kind: 'cgroup_mkdir', id: 0x7fff_0000_0000n + BigInt(n), hierarchy: 0, path });
  }
  const kept = bytesUsed() - before;
  ok(kept < 8 << 20, `${kept} bytes`);
  equal(tree.places(idsOf(60n)).places[0]?.path, own);
  equal(tree.places(idsOf(61n)).places[0]?.path, `${own}/nested`);
});

test('each cgroup whose event was lost is looked for, however soon after the last look', () => {
  const folders = ['a', 'b'].map((name) => `${unified()}/vcml-test-lost-${name}-${process.pid}`);
  const tree = treeOf({ now: () => 0 });
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
  const tree = treeOf({ now: () => 0 });
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
  const tree = treeOf({ now: () => now });
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
  const tree = treeOf({ now: () => (now += step) }); // a look lasts 10 ms
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
  const tree = treeOf();
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
  const tree = treeOf({
    listener: { appeared: () => (count += 1), gone: () => (count -= 1) },
  });
  const found = count;
  for (let n = 0n; n < 10_000n; n++)
    tree.note({
      kind: 'cgroup_mkdir',
      id: 0x7fff_0000_0000n + n,
      hierarchy: 0,
      path: `/${scopeOf(`${n}`)}`,
    });
  // while the machine may make some of its own
  ok(count <= 2 * found + 2048, `${count} of ${found}`);
});

test('where the hierarchy is not to be seen, what events have told stays', () => {
  const proc = procWith('0::/\n');
  const gone: string[] = [];
  try {
    const tree = treeOf({
      listener: { appeared: () => {}, gone: (_, { root }) => gone.push(root) },
      proc,
    });
    tree.note({ kind: 'cgroup_mkdir', id: 60n, hierarchy: 0, path: `/${scopeOf('a')}` });
    tree.scan();
    deepEqual(gone, []);
  } finally {
    rmSync(proc, { recursive: true });
  }
});

test('a process in every root is in the root', () => {
  deepEqual(treeOf().places(idsOf(1n)), { places: [], complete: true });
});
