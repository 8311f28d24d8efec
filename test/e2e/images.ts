import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { arch } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { ROOT } from '../support/paths.ts';
import { DIR } from './place.ts';
import { PAUSE_IMAGE } from './settings.ts';

export const BUILD = join(ROOT, 'build');
/** The test image: busybox and tmux in /bin, and the programs of test/programs in /programs. */
export const TEST_IMAGE = 'localhost/test:e2e';

/** The parts of an image. */
export interface Image {
  readonly tag: string;
  /** The folders with the content of the layers, each with a unique name. */
  readonly layers: readonly string[];
  /** Its configuration, as in the OCI image specification. */
  readonly config: object;
}

/** Builds the test images from static programs and returns the path of the archive. */
export function buildImages(): string {
  const folder = `${DIR}/images`;
  const pause = createLayer(folder, 'pause');
  copyFileSync(join(BUILD, 'e2e/programs/pause'), join(pause, 'pause'));
  const test = createLayer(folder, 'test');
  putBusybox(test);
  putTmux(test);
  for (const name of ['programs', 'tmp']) mkdirSync(join(test, name));
  for (const name of readdirSync(join(BUILD, 'programs')))
    if (!name.includes('.'))
      copyFileSync(join(BUILD, 'programs', name), join(test, 'programs', name));
  return writeArchive(`${folder}/images.tar`, [
    { tag: PAUSE_IMAGE, layers: [pause], config: { Entrypoint: ['/pause'] } },
    { tag: TEST_IMAGE, layers: [test], config: { Env: ['PATH=/bin'], Cmd: ['/bin/sh'] } },
  ]);
}

/** Creates an empty folder for the content of a layer. */
export function createLayer(parent: string, name: string): string {
  const folder = join(parent, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Copies busybox to /bin, under all its names. */
export function putBusybox(root: string): void {
  const bin = join(root, 'bin');
  mkdirSync(bin);
  copyFileSync('/bin/busybox', join(bin, 'busybox'));
  const names = execFileSync('/bin/busybox', ['--list'], { encoding: 'utf8' }).trim().split('\n');
  for (const name of names) if (name !== 'busybox') symlinkSync('/bin/busybox', join(bin, name));
}

/** Copies tmux to /bin, and what it needs to where it looks for that. */
function putTmux(root: string): void {
  copyFileSync('/usr/bin/tmux', join(root, 'bin/tmux'));
  const libraries = execFileSync('ldd', ['/usr/bin/tmux'], { encoding: 'utf8' }).match(/\/\S+/g);
  for (const file of [...(libraries ?? []), '/usr/lib/locale/C.utf8/LC_CTYPE']) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    copyFileSync(file, join(root, file));
  }
}

/** Writes images to one file in the form of `docker save`; shared layers occur once. */
export function writeArchive(file: string, images: readonly Image[]): string {
  const parts = createLayer(`${file}.parts`, '.');
  const digests = new Map<string, string>();
  for (const folder of images.flatMap(({ layers }) => layers)) {
    const layer = join(parts, `${basename(folder)}.tar`);
    if (!digests.has(folder)) tar(layer, folder, '.');
    digests.set(folder, digests.get(folder) ?? digestOf(layer));
  }
  const manifest = images.map(({ tag, layers, config }, at) => {
    const description = {
      architecture: arch() === 'x64' ? 'amd64' : arch(),
      os: 'linux',
      config,
      rootfs: { type: 'layers', diff_ids: layers.map((folder) => `sha256:${digests.get(folder)}`) },
    };
    writeFileSync(join(parts, `${at}.json`), JSON.stringify(description));
    const names = layers.map((folder) => `${basename(folder)}.tar`);
    return { Config: `${at}.json`, RepoTags: [tag], Layers: names };
  });
  writeFileSync(join(parts, 'manifest.json'), JSON.stringify(manifest));
  tar(file, parts, '.');
  rmSync(parts, { recursive: true });
  return file;
}

function tar(file: string, folder: string, ...names: readonly string[]): void {
  const owner = ['--owner=0', '--group=0', '--numeric-owner', '--sort=name'];
  execFileSync('tar', ['-cf', file, ...owner, '-C', folder, ...names]);
}

function digestOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
