import { deepEqual, equal } from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { ContainerStates } from '../../../agent/enrich/runtimes/container-states.ts';
import type { ContainerState } from '../../../agent/enrich/runtimes/runtime.ts';
import { until } from '../../support/until.ts';
import { idOf } from '../bed.ts';

const BUNDLES = 'io.containerd.runtime.v2.task/k8s.io';

function configOf(name: string): string {
  return JSON.stringify({ annotations: { 'io.kubernetes.cri.container-name': name } });
}

async function withRuntime(
  body: (dir: string, watch: ContainerStates) => Promise<void>,
  folders: readonly string[] = [BUNDLES],
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'vcml-watch-'));
  for (const folder of folders) mkdirSync(join(dir, folder), { recursive: true });
  heard.clear();
  const watch = new ContainerStates([dir], [], { onState: (id) => heard.add(id), onStalled() {} });
  // Its folders are watched then.
  await stateOf(watch, 'none');
  try {
    await body(dir, watch);
  } finally {
    watch.close();
    rmSync(dir, { recursive: true });
  }
}

/** What is known of a container once its files are read. */
async function stateOf(states: ContainerStates, name: string): Promise<ContainerState | undefined> {
  const id = idOf(name);
  const known = states.read(id);
  await states.reading(id);
  return known ?? states.read(id);
}

/** The containers whose states became known in a test. */
const heard = new Set<string>();

/** Makes a bundle as containerd does, lets the watch read it, and removes it. */
async function liveBriefly(dir: string, name: string): Promise<void> {
  const bundle = join(dir, BUNDLES, idOf(name));
  mkdirSync(bundle);
  await pause(2);
  writeFileSync(join(bundle, 'config.json'), configOf(name));
  await until('its state', () => heard.has(idOf(name)));
  rmSync(bundle, { recursive: true });
}

test('a bundle is read when it is created, before it is removed again', async () => {
  await withRuntime(async (dir, watch) => {
    await liveBriefly(dir, 'a');
    equal(watch.read(idOf('a'))?.name, 'a');
    equal(await stateOf(watch, 'b'), undefined);
  });
});

test('every one of a hundred bundles is read that are removed as soon as the agent can hear of them', async () => {
  await withRuntime(async (dir, watch) => {
    const names = Array.from({ length: 100 }, (_, i) => `brief-${i}`);
    const bundles = names.map((name) => join(dir, BUNDLES, idOf(name)));
    for (const [i, bundle] of bundles.entries()) {
      mkdirSync(bundle);
      writeFileSync(join(bundle, 'config.json'), configOf(names[i] ?? ''));
    }
    // The events are there; with the second turn they have been heard, however long the loop above took.
    await turn();
    await turn();
    for (const bundle of bundles) rmSync(bundle, { recursive: true });
    deepEqual(
      names.map((name) => watch.read(idOf(name))?.name),
      names,
    );
  });
});

test('a bundle whose file is written slowly is read when it is whole, also a large one', async () => {
  await withRuntime(async (dir) => {
    for (const [name, padding] of Object.entries({ small: '', large: ' '.repeat(2 << 20) })) {
      const bundle = join(dir, BUNDLES, idOf(name));
      const whole = configOf(name) + padding;
      mkdirSync(bundle);
      writeFileSync(join(bundle, 'config.json'), whole.slice(0, 30));
      await pause(8);
      equal(heard.has(idOf(name)), false);
      writeFileSync(join(bundle, 'config.json'), whole);
      await until('its state', () => heard.has(idOf(name)));
    }
  });
});

test('a bundle that existed before the start is read on demand', async () => {
  await withRuntime(async (dir, watch) => {
    const bundle = join(dir, BUNDLES, idOf('a'));
    mkdirSync(bundle);
    writeFileSync(join(bundle, 'config.json'), configOf('a'));
    equal((await stateOf(watch, 'a'))?.name, 'a');
  });
});

test('a runtime that is installed later is found when one of its containers is read', async () => {
  await withRuntime(async (dir, watch) => {
    const bundle = join(dir, BUNDLES, idOf('b'));
    mkdirSync(bundle, { recursive: true });
    writeFileSync(join(bundle, 'config.json'), configOf('b'));
    await pause(1100);
    equal((await stateOf(watch, 'b'))?.name, 'b');
    await liveBriefly(dir, 'a');
    equal((await stateOf(watch, 'a'))?.name, 'a');
  }, []);
});

test('a runtime whose folder is created again is followed again', async () => {
  await withRuntime(async (dir, watch) => {
    await liveBriefly(dir, 'a');
    rmSync(join(dir, BUNDLES), { recursive: true });
    mkdirSync(join(dir, BUNDLES));
    await pause(1100);
    equal(await stateOf(watch, 'b'), undefined);
    await liveBriefly(dir, 'c');
    equal((await stateOf(watch, 'c'))?.name, 'c');
  });
});

test('entries that are not bundles are skipped', async () => {
  await withRuntime(async (dir, watch) => {
    mkdirSync(join(dir, BUNDLES, 'lost+found'));
    writeFileSync(join(dir, BUNDLES, idOf('file')), '');
    await pause(100);
    equal(await stateOf(watch, 'file'), undefined);
  });
});

test('whoever asks for a state hears once it is known, and of nothing else is anything read', async () => {
  await withRuntime(async (dir) => {
    const heard: string[] = [];
    const states = new ContainerStates([dir], [], {
      onState: (id) => heard.push(id),
      onStalled() {},
    });
    mkdirSync(join(dir, BUNDLES, idOf('a')));
    writeFileSync(join(dir, BUNDLES, idOf('a'), 'config.json'), configOf('a'));
    for (const name of ['a', 'b', 'a']) states.read(idOf(name));
    equal(states.reading(idOf('c')), undefined);
    equal(states.read('../a'), undefined);
    equal(states.reading('../a'), undefined);
    await Promise.all([states.reading(idOf('a')), states.reading(idOf('b'))]);
    deepEqual(heard, [idOf('a')]);
    equal(states.reading(idOf('a')), undefined);
    states.close();
  });
});
