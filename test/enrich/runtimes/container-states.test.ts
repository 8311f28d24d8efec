import { equal } from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { ContainerStates } from '../../../agent/enrich/runtimes/container-states.ts';
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
  const watch = new ContainerStates([dir]);
  try {
    await body(dir, watch);
  } finally {
    watch.close();
    rmSync(dir, { recursive: true });
  }
}

/** Makes a bundle as containerd does, lets the watch have its turn, and removes it. */
async function liveBriefly(dir: string, name: string): Promise<void> {
  const bundle = join(dir, BUNDLES, idOf(name));
  mkdirSync(bundle);
  await pause(2);
  writeFileSync(join(bundle, 'config.json'), configOf(name));
  await pause(100);
  rmSync(bundle, { recursive: true });
}

test('a bundle is read when it is created, before it is removed again', async () => {
  await withRuntime(async (dir, watch) => {
    await liveBriefly(dir, 'a');
    equal(watch.read(idOf('a'))?.name, 'a');
    equal(watch.read(idOf('b')), undefined);
  });
});

test('a bundle that existed before the start is read on demand', async () => {
  await withRuntime(async (dir, watch) => {
    const bundle = join(dir, BUNDLES, idOf('a'));
    mkdirSync(bundle);
    writeFileSync(join(bundle, 'config.json'), configOf('a'));
    equal(watch.read(idOf('a'))?.name, 'a');
  });
});

test('a runtime that is installed later is found when one of its containers is read', async () => {
  await withRuntime(async (dir, watch) => {
    const bundle = join(dir, BUNDLES, idOf('b'));
    mkdirSync(bundle, { recursive: true });
    writeFileSync(join(bundle, 'config.json'), configOf('b'));
    await pause(1100);
    equal(watch.read(idOf('b'))?.name, 'b');
    await liveBriefly(dir, 'a');
    equal(watch.read(idOf('a'))?.name, 'a');
  }, []);
});

test('a runtime whose folder is created again is followed again', async () => {
  await withRuntime(async (dir, watch) => {
    await liveBriefly(dir, 'a');
    rmSync(join(dir, BUNDLES), { recursive: true });
    mkdirSync(join(dir, BUNDLES));
    await pause(1100);
    equal(watch.read(idOf('b')), undefined);
    await liveBriefly(dir, 'c');
    equal(watch.read(idOf('c'))?.name, 'c');
  });
});

test('entries that are not bundles are skipped', async () => {
  await withRuntime(async (dir, watch) => {
    mkdirSync(join(dir, BUNDLES, 'lost+found'));
    writeFileSync(join(dir, BUNDLES, idOf('file')), '');
    await pause(100);
    equal(watch.read(idOf('file')), undefined);
  });
});
