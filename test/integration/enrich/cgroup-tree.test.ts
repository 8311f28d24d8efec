import { deepEqual, equal, ok } from 'node:assert/strict';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
} from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { listFolders } from '../../../agent/enrich/cgroups/cgroup-files.ts';
import { procWith } from '../../enrich/bed.ts';
import { find, idsOf, scopeOf, treeOf } from '../../support/cgroup-tree.ts';
import { unified } from '../../support/container-cgroup.ts';
import { until } from '../../support/until.ts';

test('existing cgroups are found by their ids, and new and removed containers are reported', async () => {
  const name = scopeOf(`found ${process.pid}`);
  const folder = `${unified()}/${name}`;
  mkdirSync(`${folder}/nested`, { recursive: true });
  const own = statSync(folder, { bigint: true }).ino;
  const id = statSync(`${folder}/nested`, { bigint: true }).ino;
  const heard: string[] = [];
  try {
    const tree = await treeOf({
      listener: {
        appeared: (_, { root }, made) => heard.push(`${made ? 'made' : 'found'} ${root}`),
        gone: (_, { root }) => heard.push(`gone ${root}`),
      },
    });
    deepEqual(tree.places(idsOf(id)), {
      // Whoever is in the container may have made it.
      places: [{ path: `/${name}//nested`, line: `0::/${name}/nested` }],
      complete: true,
    });
    rmdirSync(`${folder}/nested`);
    rmdirSync(folder);
    await tree.scan();
    deepEqual(
      heard.filter((line) => line.includes(name)),
      [`found /${name}`, `gone /${name}`],
    );
    // What its last processes did is still to come.
    equal(tree.places(idsOf(id)).places[0]?.line, `0::/${name}/nested`);
    equal(tree.places(idsOf(own)).places[0]?.path, `/${name}`);
  } finally {
    if (existsSync(`${folder}/nested`)) rmdirSync(`${folder}/nested`);
    if (existsSync(folder)) rmdirSync(folder);
  }
});

test('a name that is not UTF-8 or has a backslash is the same from an event and from the file system', async () => {
  const name = Buffer.from(`vcml-\\x2d-\xff-${process.pid}`, 'latin1');
  const folder = Buffer.concat([Buffer.from(`${unified()}/`), name]);
  mkdirSync(folder);
  try {
    const { ino } = statSync(folder, { bigint: true });
    const { places } = (await treeOf()).places(idsOf(ino));
    equal(places[0]?.path, `/vcml-\\\\x2d-\\xff-${process.pid}`);
  } finally {
    rmdirSync(folder);
  }
});

test('each cgroup whose event was lost is searched for, however recent the last search is', async () => {
  const folders = ['a', 'b'].map((name) => `${unified()}/vcml-test-lost-${name}-${process.pid}`);
  const tree = await treeOf({ now: () => 0 });
  try {
    for (const folder of folders) {
      mkdirSync(folder);
      const { ino } = statSync(folder, { bigint: true });
      equal(tree.places(idsOf(ino)).complete, false);
      equal((await find(tree, idsOf(ino))).complete, true);
    }
  } finally {
    for (const folder of folders) if (existsSync(folder)) rmdirSync(folder);
  }
});

test('a cgroup whose event has no path is searched for', async () => {
  const name = `vcml-test-pathless-${process.pid}`;
  const folder = `${unified()}/${name}`;
  const tree = await treeOf({ now: () => 0 });
  mkdirSync(folder);
  try {
    const { ino: id } = statSync(folder, { bigint: true });
    // also where the id was another's, whose end was lost
    tree.note({ kind: 'cgroup_mkdir', maker: 'privileged', id, hierarchy: 0, path: '/before' });
    tree.note({ kind: 'cgroup_mkdir', maker: 'privileged', id, hierarchy: 0, path: '' });
    deepEqual(tree.places(idsOf(id)), { places: [], complete: false });
    equal((await find(tree, idsOf(id))).places[0]?.path, `/${name}`);
  } finally {
    rmdirSync(folder);
  }
});

test('an id that does not exist is searched for at most once a second', async () => {
  const nowhere = idsOf(0x7fff_ffff_0000n);
  const folder = `${unified()}/vcml-test-missing-${process.pid}`;
  let now = 0;
  const tree = await treeOf({ now: () => now });
  await find(tree, nowhere);
  mkdirSync(folder);
  try {
    // Whether there was another look shows in whether it came by this folder.
    const { ino } = statSync(folder, { bigint: true });
    now = 999;
    equal((await find(tree, nowhere)).complete, false);
    equal(tree.places(idsOf(ino)).complete, false);
    now = 1000;
    equal((await find(tree, nowhere)).complete, false);
    equal(tree.places(idsOf(ino)).complete, true);
  } finally {
    rmdirSync(folder);
  }
});

test('searches take at most a tenth of the time', async () => {
  const folder = `${unified()}/vcml-test-pause-${process.pid}`;
  let now = 0;
  let step = 10;
  const tree = await treeOf({ now: () => (now += step) });
  // It asks for the time at both ends of the search, and of each piece.
  const took = (now - 2 * step) / 2;
  step = 0;
  mkdirSync(folder);
  try {
    const { ino } = statSync(folder, { bigint: true });
    now += 9 * took - 1;
    equal((await find(tree, idsOf(ino))).complete, false);
    now += 1;
    equal((await find(tree, idsOf(ino))).complete, true);
  } finally {
    rmdirSync(folder);
  }
});

/** Makes more cgroups than are looked at in one go; they are removed when the test ends. */
function makeMany(t: TestContext, name: string): string {
  const top = `${unified()}/vcml-test-${name}-${process.pid}`;
  const folders = Array.from({ length: 300 }, (_, n) => `${top}/${n}`);
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  t.after(() => {
    for (const folder of [...folders, top]) rmdirSync(folder);
  });
  return top;
}

test('while cgroups are searched for, other work has its turns', async (t) => {
  makeMany(t, 'turns');
  const tree = await treeOf();
  let turns = 0;
  let isOver = false;
  const scanning = tree.scan().finally(() => {
    isOver = true;
  });
  for (; !isOver; turns++) await turn();
  await scanning;
  ok(turns >= 3, `${turns}`);
});

test('a record waits half a second for a search, and the search continues', async (t) => {
  const top = makeMany(t, 'long');
  let now = 0;
  const tree = await treeOf({ now: () => now });
  const folder = `${top}/late`;
  mkdirSync(folder);
  try {
    const ids = idsOf(statSync(folder, { bigint: true }).ino);
    const nowhere = idsOf(0x7fff_ffff_0000n);
    equal(tree.search(nowhere), true);
    now = 499;
    equal(tree.search(nowhere), true);
    now = 500;
    equal(tree.search(nowhere), false);
    await until('the search', () => tree.places(ids).complete);
  } finally {
    rmdirSync(folder);
  }
});

test('a search that is stopped ends, and no other one begins', async (t) => {
  makeMany(t, 'stopped');
  const tree = await treeOf({ now: () => 0 });
  const scanning = tree.scan();
  tree.close();
  await scanning;
  equal(tree.search(idsOf(0x7fff_ffff_0000n)), false);
});

test('a container that is made while cgroups are searched for is not taken for one that is gone', async (t) => {
  makeMany(t, 'meanwhile');
  const path = `/${scopeOf('made meanwhile')}`;
  const gone: string[] = [];
  const tree = await treeOf({
    listener: { appeared: () => {}, gone: (_, { root }) => gone.push(root) },
  });
  const scanning = tree.scan();
  const id = 0x7fff_ffff_0000n;
  tree.note({ kind: 'cgroup_mkdir', id, hierarchy: 0, path, maker: 'privileged' });
  await scanning;
  equal(gone.includes(path), false);
  await tree.scan();
  equal(gone.includes(path), true, 'the next search looks for it');
});

test('what users and containers have below their own cgroups is searched last', (t) => {
  const [user, container, service] = ['user', 'container', 'service'].map((name) =>
    makeMany(t, name),
  ) as [string, string, string];
  chownSync(user, 1000, 1000);
  const found: string[] = [];
  const folders = listFolders(unified(), unified(), ({ above, name }) => {
    const path = name === undefined ? above : `${above}/${name}`;
    found.push(path);
    return { path, isContainer: path === container };
  });
  while (!folders.next().done);
  const lastOf = (top: string) => found.findLastIndex((path) => path.startsWith(top));
  const firstBelow = (top: string) => found.findIndex((path) => path.startsWith(`${top}/`));
  for (const top of [user, container]) {
    equal(found.filter((path) => path.startsWith(top)).length, 301);
    ok(firstBelow(top) > lastOf(service), top);
    ok(firstBelow(top) > Math.max(found.indexOf(user), found.indexOf(container)), top);
  }
});

test('after a lost event, containers that were made or removed are searched for', async () => {
  const [made, removed] = [scopeOf('lost mkdir'), scopeOf('lost rmdir')];
  const [madeFolder, removedFolder] = [`${unified()}/${made}`, `${unified()}/${removed}`];
  const heard: string[] = [];
  mkdirSync(removedFolder);
  const tree = await treeOf({
    listener: {
      appeared: (_, { root }) => heard.push(`appeared ${root}`),
      gone: (_, { root }) => heard.push(`gone ${root}`),
    },
    now: () => 0,
  });
  rmdirSync(removedFolder);
  mkdirSync(madeFolder);
  try {
    const id = 0x7fff_ffff_0000n;
    tree.note({ kind: 'cgroup_rmdir', id, hierarchy: 0 });
    equal(heard.includes(`gone /${removed}`), false);
    tree.note({ kind: 'cgroup_rmdir', id, hierarchy: 0, isAfterLoss: true });
    await until('the search', () => heard.includes(`gone /${removed}`));
    equal(heard.includes(`appeared /${made}`), true);
  } finally {
    rmdirSync(madeFolder);
  }
});

test('a search after a lost event that fails is made up for later', async () => {
  const made = scopeOf('lost while there are no files');
  const folder = `${unified()}/${made}`;
  const [cgroups, mounts] = ['cgroup', 'mountinfo'].map((name) =>
    readFileSync(`/proc/self/${name}`, 'utf8'),
  );
  const proc = procWith(cgroups ?? '', mounts);
  const heard: string[] = [];
  let now = 0;
  const listener = {
    appeared: (_: string, { root }: { root: string }) => heard.push(root),
    gone: () => {},
  };
  const tree = await treeOf({ listener, proc, now: () => now });
  mkdirSync(folder);
  try {
    renameSync(`${proc}/self/cgroup`, `${proc}/self/away`);
    const event = { kind: 'cgroup_rmdir', id: 0x7fff_ffff_0000n, hierarchy: 0 } as const;
    tree.note({ ...event, isAfterLoss: true });
    renameSync(`${proc}/self/away`, `${proc}/self/cgroup`);
    now = 10_000;
    await until('the search', () => {
      tree.note(event);
      return heard.includes(`/${made}`);
    });
  } finally {
    rmdirSync(folder);
  }
});

const V1 = '/sys/fs/cgroup/memory';

test('a cgroup of version 1 has its new name after the next scan', async (t) => {
  if (!existsSync(`${V1}/memory.stat`))
    return t.skip('no memory controller of version 1 is mounted');
  const [before, after] = [scopeOf('before'), scopeOf('after')];
  const heard: string[] = [];
  const tree = await treeOf({
    listener: {
      appeared: (_, { root }) => heard.push(`appeared ${root}`),
      gone: (_, { root }) => heard.push(`gone ${root}`),
    },
  });
  const parent = `vcml-test-renamed-${process.pid}`;
  mkdirSync(`${V1}/${parent}/${before}`, { recursive: true });
  const hierarchy = hierarchyOf('memory');
  const { ino: memory } = statSync(`${V1}/${parent}/${before}`, { bigint: true });
  const pathOf = () =>
    tree.places({ v2: 1n, memory, memoryHierarchy: hierarchy, pids: 1n, pidsHierarchy: 0 })
      .places[0]?.path;
  try {
    await tree.scan();
    equal(pathOf(), `/${parent}/${before}`);
    renameSync(`${V1}/${parent}/${before}`, `${V1}/${parent}/${after}`);
    await tree.scan();
    equal(pathOf(), `/${parent}/${after}`);
    renameSync(`${V1}/${parent}/${after}`, `${V1}/${parent}/plain`);
    await tree.scan();
    equal(pathOf(), `/${parent}/plain`);
    const own = heard.filter((line) => line.includes(parent));
    deepEqual(own, [
      `appeared /${parent}/${before}`,
      `gone /${parent}/${before}`,
      `appeared /${parent}/${after}`,
      `gone /${parent}/${after}`,
    ]);
  } finally {
    for (const name of [before, after, 'plain', ''])
      if (existsSync(`${V1}/${parent}/${name}`)) rmdirSync(`${V1}/${parent}/${name}`);
  }
});

function hierarchyOf(controller: string): number {
  for (const line of readFileSync('/proc/self/cgroup', 'utf8').split('\n')) {
    const [number, controllers] = line.split(':');
    if (controllers?.split(',').includes(controller)) return Number(number);
  }
  throw new Error(`${controller} is in no hierarchy`);
}
