import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { temporaryFolder } from './temporary-folder.ts';

/** A folder in which every call hangs, as on a file server that does not answer. */
export interface HungFolder {
  readonly dir: string;
  /** Lets all calls fail. */
  release(): void;
}

/** Mounts a file system in user space, without anybody who answers the kernel. */
export function mountHungFolder(t: TestContext): HungFolder {
  const device = openSync('/dev/fuse', 'r+');
  let [isOpen, isMounted] = [true, false];
  const release = () => {
    if (isOpen) closeSync(device);
    isOpen = false;
  };
  // Before the folder is removed, which is registered next.
  t.after(() => {
    release();
    if (isMounted) execFileSync('umount', ['--lazy', dir]);
  });
  const dir = join(temporaryFolder(t), 'hung');
  mkdirSync(dir);
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0';
  execFileSync('mount', ['--internal-only', '-t', 'fuse', '-o', options, 'nobody', dir], {
    stdio: ['ignore', 'pipe', 'pipe', device],
  });
  isMounted = true;
  return { dir, release };
}
