import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { nodePackage } from '../../deploy/node-package.ts';
import { ROOT } from '../support/paths.ts';
import type { Architecture, Kernel } from './boot.ts';
import { copyLibraries } from './libraries.ts';

const TESTS = [
  'test/system/lineage/links.test.ts',
  'test/system/lineage/gaps.test.ts',
  'test/system/lineage/paths.test.ts',
  'test/system/lineage/hostile.test.ts',
  'test/system/lineage/environment.test.ts',
  'test/system/lineage/privilege.test.ts',
  'test/system/model/model.test.ts',
];

/**
 * Makes the initramfs of the guests and returns its path. It has this project at its root, with Node,
 * the libraries that Node needs, and busybox.
 */
export async function makeGuest(
  architecture: Architecture,
  kernels: readonly Kernel[],
): Promise<string> {
  const root = join(ROOT, 'build/guests', architecture);
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  await copyCode(root);
  copyBinaries(root, architecture);
  copySystem(root, architecture);
  mkdirSync(join(root, 'modules'));
  for (const kernel of kernels) cpSync(kernel.overlay, join(root, `modules/${kernel.name}.ko`));
  const image = `${root}.cpio`;
  execFileSync('sh', ['-c', 'find . | cpio -o -H newc --quiet >"$0"', image], { cwd: root });
  return image;
}

/**
 * Bundles the agent and each test to one file, so that a guest need not strip types or read a
 * thousand files.
 */
async function copyCode(root: string): Promise<void> {
  const options = {
    absWorkingDir: ROOT,
    bundle: true,
    platform: 'node' as const,
    target: 'node26',
    // No module of the bundle is the main module.
    define: { 'import.meta.main': 'false' },
  };
  const banner =
    "import { createRequire as r } from 'node:module'; const require = r(import.meta.url);";
  await build({
    ...options,
    format: 'esm',
    splitting: true,
    // As deep as the sources, because some search for the project above themselves.
    chunkNames: 'chunks/[name]-[hash]',
    banner: { js: banner },
    entryPoints: { 'agent/main': 'agent/main.ts', ...testEntries() },
    outdir: root,
  });
  // The log loads it by its name.
  const pino = join(root, 'node_modules/pino/index.js');
  await build({ ...options, format: 'cjs', entryPoints: ['pino'], outfile: pino });
  writeFileSync(join(root, 'package.json'), packageJson());
  const script = readFileSync(join(ROOT, 'bin/vcml-agent'), 'utf8');
  mkdirSync(join(root, 'bin'));
  writeFileSync(join(root, 'bin/vcml-agent'), script.replace('agent/main.ts', 'agent/main.js'), {
    mode: 0o755,
  });
}

function testEntries(): Record<string, string> {
  const entries = TESTS.map((file) => [`test/${basename(file, '.ts')}`, file] as const);
  return {
    ...Object.fromEntries(entries),
    'test/cgroups.test': 'test/kernels/inside/cgroups.ts',
    'test/time.test': 'test/kernels/inside/time.ts',
    'test/refused/lockdown.test': 'test/kernels/inside/lockdown.ts',
    'test/refused/realtime.test': 'test/kernels/inside/realtime.ts',
    'test/inside': 'test/kernels/inside/inside.ts',
  };
}

function packageJson(): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return JSON.stringify({ version, type: 'module' });
}

function copyBinaries(root: string, architecture: Architecture): void {
  const arm64 = architecture === 'arm64';
  const built = join(ROOT, arm64 ? 'build/arm64' : 'build');
  const { name, folder } = nodePackage(built);
  const node = join(folder, 'bin/node');
  const addon = join(built, 'vcml_hook.node');
  const files = {
    [`node_modules/${name}/bin/node`]: node,
    'build/vcml_hook.node': addon,
    'build/exec.bpf.o': join(built, 'exec.bpf.o'),
    'build/programs': join(built, 'programs'),
    'usr/bin': join(built, 'guest'),
  };
  for (const [to, from] of Object.entries(files)) cpSync(from, join(root, to), { recursive: true });
  copyLibraries(root, architecture, [node, addon]);
}

function copySystem(root: string, architecture: Architecture): void {
  const from = architecture === 'arm64' ? join(process.env.KERNELS ?? '', 'arm64') : '/';
  cpSync(join(from, 'bin/busybox'), join(root, 'bin/busybox'));
  cpSync(join(import.meta.dirname, 'init'), join(root, 'init'));
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\n');
  // busybox knows only the short form.
  const umount =
    '#!/bin/sh\n[ "$1" = --lazy ] && shift && set -- -l "$@"\nexec busybox umount "$@"\n';
  writeFileSync(join(root, 'usr/bin/umount'), umount, { mode: 0o755 });
}
