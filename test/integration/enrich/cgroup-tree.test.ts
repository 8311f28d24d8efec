import { deepEqual, equal } from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { idsOf, scopeOf, treeOf } from '../../support/cgroup-tree.ts';
import { unified } from '../../support/container-cgroup.ts';

test('existing cgroups are found by their ids, and new and removed containers are reported', () => {
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
      // Whoever is in the container may have made it.
      places: [{ path: `/${name}//nested`, line: `0::/${name}/nested` }],
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
    equal(tree.places(idsOf(id)).places[0]?.line, `0::/${name}/nested`);
    equal(tree.places(idsOf(own)).places[0]?.path, `/${name}`);
  } finally {
    if (existsSync(`${folder}/nested`)) rmdirSync(`${folder}/nested`);
    if (existsSync(folder)) rmdirSync(folder);
  }
});

test('a name that is not UTF-8 or has a backslash is the same from an event and from the file system', () => {
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

test('each cgroup whose event was lost is searched for, however recent the last search is', () => {
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

test('a cgroup whose event has no path is searched for', () => {
  const name = `vcml-test-pathless-${process.pid}`;
  const folder = `${unified()}/${name}`;
  const tree = treeOf({ now: () => 0 });
  mkdirSync(folder);
  try {
    const { ino: id } = statSync(folder, { bigint: true });
    // also where the id was another's, whose end was lost
    tree.note({ kind: 'cgroup_mkdir', maker: 'privileged', id, hierarchy: 0, path: '/before' });
    tree.note({ kind: 'cgroup_mkdir', maker: 'privileged', id, hierarchy: 0, path: '' });
    deepEqual(tree.places(idsOf(id)), { places: [], complete: false });
    equal(tree.find(idsOf(id)).places[0]?.path, `/${name}`);
  } finally {
    rmdirSync(folder);
  }
});

test('an id that does not exist is searched for at most once a second', () => {
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

test('searches take at most a tenth of the time', () => {
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

const V1 = '/sys/fs/cgroup/memory';

test('a cgroup of version 1 has its new name after the next scan', (t) => {
  if (!existsSync(`${V1}/memory.stat`))
    return t.skip('no memory controller of version 1 is mounted');
  const [before, after] = [scopeOf('before'), scopeOf('after')];
  const heard: string[] = [];
  const tree = treeOf({
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
    tree.scan();
    equal(pathOf(), `/${parent}/${before}`);
    renameSync(`${V1}/${parent}/${before}`, `${V1}/${parent}/${after}`);
    tree.scan();
    equal(pathOf(), `/${parent}/${after}`);
    renameSync(`${V1}/${parent}/${after}`, `${V1}/${parent}/plain`);
    tree.scan();
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
