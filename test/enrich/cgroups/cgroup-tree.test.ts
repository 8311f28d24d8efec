import { deepEqual, equal, ok } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { idsOf, scopeOf, treeOf } from '../../support/cgroup-tree.ts';
import { bytesInUse } from '../../support/memory.ts';
import { procWith } from '../bed.ts';

test('a removed cgroup is named from what the kernel side keeps of it and its ancestors', () => {
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

test('forty thousand cgroups with long names displace no container, and take little memory', () => {
  const own = '/docker/'.concat(createHash('sha256').update('own').digest('hex'));
  const tree = treeOf();
  tree.note({ kind: 'cgroup_mkdir', id: 60n, hierarchy: 0, path: own });
  tree.note({ kind: 'cgroup_mkdir', id: 61n, hierarchy: 0, path: `${own}/nested` });
  equal(tree.places(idsOf(61n)).places[0]?.path, `${own}/nested`);
  const before = bytesInUse();
  for (let n = 0; n < 40_000; n++) {
    const path = `${own}/${'x'.repeat(240)}${n}/${'y'.repeat(250)}`;
    tree.note({ kind: 'cgroup_mkdir', id: 0x7fff_0000_0000n + BigInt(n), hierarchy: 0, path });
  }
  const kept = bytesInUse() - before;
  ok(kept < 8 << 20, `${kept} bytes`);
  equal(tree.places(idsOf(60n)).places[0]?.path, own);
  equal(tree.places(idsOf(61n)).places[0]?.path, `${own}/nested`);
});

test('events name cgroups of the relevant hierarchies at once', () => {
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

test('cgroups whose removal was lost do not fill the memory', () => {
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

test('if the hierarchy is not mounted, the names from events stay', () => {
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

test('a process in the root of every hierarchy is in the root', () => {
  deepEqual(treeOf().places(idsOf(1n)), { places: [], complete: true });
});
