import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, realpathSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Architecture } from './boot.ts';

/** Copies the shared libraries that these files need, directly or not, to ROOT/lib. */
export function copyLibraries(
  root: string,
  architecture: Architecture,
  files: readonly string[],
): void {
  const loader = architecture === 'arm64' ? 'ld-linux-aarch64.so.1' : 'ld-linux-x86-64.so.2';
  const names = new Set([loader]);
  mkdirSync(join(root, 'lib'));
  for (const file of files) for (const name of needed(file)) names.add(name);
  // The list grows during the loop.
  for (const name of names) {
    const library = find(name, architecture);
    for (const other of needed(library)) names.add(other);
    cpSync(library, join(root, 'lib', name));
  }
  symlinkSync('lib', join(root, 'lib64'));
}

/** Returns the names of shared libraries from readelf, which reads files of any architecture. */
function needed(file: string): string[] {
  const dynamic = execFileSync('readelf', ['-d', file], { encoding: 'utf8' });
  return [...dynamic.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name]) => name ?? '');
}

function find(name: string, architecture: Architecture): string {
  const arm64 = join(process.env.KERNELS ?? '', 'arm64');
  const folders = {
    amd64: ['/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu', '/lib64'],
    arm64: [
      '/usr/aarch64-linux-gnu/lib',
      `${arm64}/lib/aarch64-linux-gnu`,
      `${arm64}/usr/lib/aarch64-linux-gnu`,
    ],
  }[architecture];
  const path = folders.map((folder) => join(folder, name)).find(existsSync);
  if (path === undefined) throw new Error(`there is no ${name} in ${folders.join(' or ')}`);
  return realpathSync(path);
}
