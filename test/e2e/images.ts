import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { arch } from 'node:os';
import { basename, join } from 'node:path';
import { DIR } from './place.ts';
import { PAUSE_IMAGE } from './settings.ts';

export const BUILD = join(import.meta.dirname, '../../build');
/** busybox in /bin, and the programs of test/programs in /programs. */
export const TEST_IMAGE = 'localhost/test:e2e';

/** Makes the tests' images from nothing but static programs; the archives' paths. */
export function buildImages(): string[] {
  const pause = imageRoot('pause');
  copyFileSync(join(BUILD, 'e2e/programs/pause'), join(pause, 'pause'));
  const root = imageRoot('test');
  putBusybox(root);
  for (const folder of ['programs', 'tmp']) mkdirSync(join(root, folder));
  for (const name of readdirSync(join(BUILD, 'programs')))
    if (!name.includes('.'))
      copyFileSync(join(BUILD, 'programs', name), join(root, 'programs', name));
  return [
    archive(pause, PAUSE_IMAGE, { Entrypoint: ['/pause'] }),
    archive(root, TEST_IMAGE, { Env: ['PATH=/bin'], Cmd: ['/bin/sh'] }),
  ];
}

/** The folder for an image's content. */
export function imageRoot(name: string): string {
  const root = `${DIR}/images/${name}/root`;
  mkdirSync(root, { recursive: true });
  return root;
}

/** Puts busybox into /bin, under all its names. */
export function putBusybox(root: string): void {
  const bin = join(root, 'bin');
  mkdirSync(bin);
  copyFileSync('/bin/busybox', join(bin, 'busybox'));
  const names = execFileSync('/bin/busybox', ['--list'], { encoding: 'utf8' }).trim().split('\n');
  for (const name of names) if (name !== 'busybox') symlinkSync('/bin/busybox', join(bin, name));
}

/** Writes a folder as an image of one layer, in the form of `docker save`. */
export function archive(root: string, tag: string, config: object): string {
  const folder = join(root, '..');
  const layer = join(folder, 'layer.tar');
  tar(layer, root, '.');
  const description = JSON.stringify({
    architecture: arch() === 'x64' ? 'amd64' : arch(),
    os: 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: [`sha256:${digestOf(layer)}`] },
  });
  writeFileSync(join(folder, 'config.json'), description);
  const parts = [{ Config: 'config.json', RepoTags: [tag], Layers: ['layer.tar'] }];
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(parts));
  const file = `${DIR}/images/${basename(folder)}.tar`;
  tar(file, folder, 'manifest.json', 'config.json', 'layer.tar');
  return file;
}

function tar(file: string, folder: string, ...names: readonly string[]): void {
  const owner = ['--owner=0', '--group=0', '--numeric-owner', '--sort=name'];
  execFileSync('tar', ['-cf', file, ...owner, '-C', folder, ...names]);
}

function digestOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
