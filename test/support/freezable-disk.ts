import { execFileSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { temporaryFolder } from './temporary-folder.ts';

const BYTES = 512 << 20;

/** A file system of its own that can be made to hold up everything that changes it. */
export interface FreezableDisk {
  /** where it is mounted */
  readonly dir: string;
  freeze(): void;
  thaw(): void;
}

/** Mounts an ext4 from a file for one test. */
export function mountFreezableDisk(t: TestContext): FreezableDisk {
  let isFrozen = false;
  let isMounted = false;
  t.after(() => {
    if (isMounted) disk.thaw();
    if (isMounted) execFileSync('umount', ['--lazy', dir]);
  });
  const root = temporaryFolder(t);
  const [image, dir] = [join(root, 'image'), join(root, 'disk')];
  const disk = {
    dir,
    freeze() {
      execFileSync('fsfreeze', ['--freeze', dir]);
      isFrozen = true;
    },
    thaw() {
      if (isFrozen) execFileSync('fsfreeze', ['--unfreeze', dir]);
      isFrozen = false;
    },
  };
  writeFileSync(image, '');
  truncateSync(image, BYTES);
  execFileSync('mkfs.ext4', ['-q', '-F', image]);
  mkdirSync(dir);
  execFileSync('mount', ['-o', 'loop', image, dir]);
  isMounted = true;
  return disk;
}
