import { deepEqual, equal, ok } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { CgroupName } from '../../../agent/enrich/cgroups/cgroup-tree.ts';
import { containerOf } from '../../../agent/enrich/cgroups/container-path.ts';
import { idsOf, scopeOf, treeOf } from '../../support/cgroup-tree.ts';
import { bytesInUse } from '../../support/memory.ts';
import { procWith } from '../bed.ts';

test('a removed cgroup is named from what the kernel side keeps of it and its ancestors', async () => {
  const names = new Map<string, CgroupName>([
    ['0:70', { parent: 71n, name: 'app', maker: 'privileged' }],
    ['0:71', { parent: 72n, name: 'b\\\\x2dc', maker: 'privileged' }],
    ['0:72', { parent: 1n, name: 'top', maker: 'privileged' }],
    ['0:80', { parent: 81n, name: 'orphan', maker: 'privileged' }],
    ['0:90', { parent: 90n, name: 'circle', maker: 'privileged' }],
  ]);
  const asked: string[] = [];
  const tree = await treeOf({
    nameOf: (hierarchy, id) => {
      asked.push(`${hierarchy}:${id}`);
      return names.get(`${hierarchy}:${id}`);
    },
  });
  asked.length = 0; // the scan asks, too
  const path = '/top/b\\\\x2dc/app';
  deepEqual(tree.places(idsOf(70n)), { places: [{ path, line: `0::${path}` }], complete: true });
  deepEqual(asked, ['0:70', '0:71', '0:72']);
  tree.places(idsOf(70n));
  equal(asked.length, 3, 'asked once');
  equal(tree.places(idsOf(80n)).complete, false, 'its parent is not known');
  tree.note({ kind: 'cgroup_mkdir', maker: 'privileged', id: 81n, hierarchy: 0, path: '/above' });
  equal(tree.places(idsOf(80n)).places[0]?.path, '/above/orphan');
  equal(tree.places(idsOf(90n)).complete, false, 'a table that makes no sense ends');
});

/** Names of a chain of cgroups with the ids from 100 on; `top` is above the first one. */
function chainOf(levels: number, top: bigint, name = 'a'): Map<string, CgroupName> {
  const names = new Map<string, CgroupName>();
  for (let level = 0n; level < levels; level++)
    names.set(`0:${100n + level}`, {
      parent: level === 0n ? top : 99n + level,
      name,
      maker: 'unknown',
    });
  return names;
}

test('what a cgroup costs does not grow with its depth', async () => {
  const [levels, leaves] = [4000, 300];
  for (const [top, isKnown] of [
    [1n, true],
    [50n, false], // which nobody knows
  ] as const) {
    const names = chainOf(levels, top);
    let asked = 0;
    const tree = await treeOf({
      nameOf: (hierarchy, id) => {
        asked += 1;
        return names.get(`${hierarchy}:${id}`);
      },
      proc: procWith('0::/\n'),
    });
    for (let n = 0n; n < leaves; n++) {
      // Some are not at the end of the chain.
      const parent = 100n + BigInt(levels) - 1n - 7n * n;
      names.set(`0:${9000n + n}`, { parent, name: 'leaf', maker: 'unknown' });
      equal(tree.places(idsOf(9000n + n)).complete, isKnown);
    }
    ok(asked < levels + 40 * leaves, `${asked} look-ups`);
  }
});

test('a way up that ended nowhere is found once what is above it is known', async () => {
  const names = chainOf(100, 50n);
  const tree = await treeOf({ nameOf: (hierarchy, id) => names.get(`${hierarchy}:${id}`) });
  equal(tree.places(idsOf(199n)).complete, false);
  tree.note({ kind: 'cgroup_mkdir', maker: 'privileged', id: 50n, hierarchy: 0, path: '/above' });
  equal(tree.places(idsOf(199n)).places[0]?.path, `/above${'/a'.repeat(100)}`);
});

test('a path is cut where it is longer than the kernel shows', async () => {
  const own = scopeOf('deep');
  const names = chainOf(1000, 50n, '\\xff'.repeat(255));
  names.set('0:50', { parent: 1n, name: own, maker: 'privileged' });
  const tree = await treeOf({ nameOf: (hierarchy, id) => names.get(`${hierarchy}:${id}`) });
  for (const id of [110n, 1099n]) {
    const { path = '' } = tree.places(idsOf(id)).places[0] ?? {};
    ok(path.length < 4200, `${path.length}`);
    ok(path.startsWith(`/${own}//\\xff`));
    ok(path.endsWith('/\\...'));
    equal(containerOf(path)?.root, `/${own}`);
  }
});

test('forty thousand cgroups with long names displace no container, and take little memory', async () => {
  const own = '/docker/'.concat(createHash('sha256').update('own').digest('hex'));
  const tree = await treeOf();
  tree.note({ kind: 'cgroup_mkdir', maker: 'privileged', id: 60n, hierarchy: 0, path: own });
  tree.note({
    kind: 'cgroup_mkdir',
    maker: 'privileged',
    id: 61n,
    hierarchy: 0,
    path: `${own}/nested`,
  });
  equal(tree.places(idsOf(61n)).places[0]?.path, `${own}/nested`);
  const before = bytesInUse();
  for (let n = 0; n < 40_000; n++) {
    const path = `${own}/${'x'.repeat(240)}${n}/${'y'.repeat(250)}`;
    tree.note({
      kind: 'cgroup_mkdir',
      maker: 'privileged',
      id: 0x7fff_0000_0000n + BigInt(n),
      hierarchy: 0,
      path,
    });
  }
  const kept = bytesInUse() - before;
  ok(kept < 8 << 20, `${kept} bytes`);
  equal(tree.places(idsOf(60n)).places[0]?.path, own);
  equal(tree.places(idsOf(61n)).places[0]?.path, `${own}/nested`);
});

test('events name cgroups of the relevant hierarchies at once', async () => {
  const tree = await treeOf();
  const id = 0x7fff_ffff_0000n;
  tree.note({ kind: 'cgroup_mkdir', maker: 'privileged', id, hierarchy: 0, path: '/a' });
  tree.note({ kind: 'cgroup_mkdir', maker: 'privileged', id, hierarchy: 99, path: '/b' });
  deepEqual(tree.places(idsOf(id)).places, [{ path: '/a', line: '0::/a' }]);
  const elsewhere = { ...idsOf(1n), memory: id, memoryHierarchy: 99 };
  deepEqual(tree.places(elsewhere), { places: [], complete: false });
  tree.note({ kind: 'cgroup_rmdir', id, hierarchy: 0 });
  equal(tree.places(idsOf(id)).places[0]?.path, '/a');
  tree.note({ kind: 'cgroup_mkdir', maker: 'privileged', id, hierarchy: 0, path: '/c' });
  equal(tree.places(idsOf(id)).places[0]?.path, '/c');
});

test('cgroups whose removal was lost do not fill the memory', async () => {
  let count = 0;
  const tree = await treeOf({
    listener: { appeared: () => (count += 1), gone: () => (count -= 1) },
  });
  const found = count;
  for (let n = 0n; n < 10_000n; n++) {
    tree.note({
      kind: 'cgroup_mkdir',
      maker: 'privileged',
      id: 0x7fff_0000_0000n + n,
      hierarchy: 0,
      path: `/${scopeOf(`${n}`)}`,
    });
    if (n % 10n === 0n) await turn();
  }
  // while the machine may make some of its own
  ok(count <= 2 * found + 2048, `${count} of ${found}`);
});

test('beyond 4,096 existing containers, others are known by their paths alone', async () => {
  const proc = procWith('0::/\n');
  const [first, last] = [60n, 60n + 4999n];
  const pathOf = (id: bigint) => `/${scopeOf(`${id}`)}`;
  let followed = 0;
  try {
    const tree = await treeOf({
      listener: { appeared: () => (followed += 1), gone: () => (followed -= 1) },
      nameOf: (_, id) => ({ parent: 1n, name: scopeOf(`${id}`), maker: 'privileged' }),
      proc,
    });
    for (let id = first; id <= last; id++)
      tree.note({ kind: 'cgroup_mkdir', id, hierarchy: 0, path: pathOf(id), maker: 'privileged' });
    equal(followed, 4096);
    for (const id of [first, last - 600n, last])
      equal(tree.places(idsOf(id)).places[0]?.path, pathOf(id));
    tree.note({ kind: 'cgroup_rmdir', id: first, hierarchy: 0 });
    tree.note({
      kind: 'cgroup_mkdir',
      id: last + 1n,
      hierarchy: 0,
      path: pathOf(last + 1n),
      maker: 'privileged',
    });
    equal(followed, 4096, 'there is room for another one');
  } finally {
    rmSync(proc, { recursive: true });
  }
});

test('if the hierarchy is not mounted, the names from events stay', async () => {
  const proc = procWith('0::/\n');
  const gone: string[] = [];
  try {
    const tree = await treeOf({
      listener: { appeared: () => {}, gone: (_, { root }) => gone.push(root) },
      proc,
    });
    tree.note({
      kind: 'cgroup_mkdir',
      maker: 'privileged',
      id: 60n,
      hierarchy: 0,
      path: `/${scopeOf('a')}`,
    });
    await tree.scan();
    deepEqual(gone, []);
  } finally {
    rmSync(proc, { recursive: true });
  }
});

test('a process in the root of every hierarchy is in the root', async () => {
  deepEqual((await treeOf()).places(idsOf(1n)), { places: [], complete: true });
});
