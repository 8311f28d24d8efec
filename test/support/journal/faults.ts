import { execFileSync } from 'node:child_process';
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The environment in which faults.c intercepts what a process does with a folder. */
export interface Faults {
  readonly env: NodeJS.ProcessEnv;
  /** the trace of all changes below the folder */
  readonly trace: string;
  /** Makes operations fail from now on: `write EIO`, `sync EIO`, `list EIO`, `kill 700`; undefined: none. */
  now(fault: string | undefined): void;
}

/** Compiles faults.c for one test; its files are in `root`, outside of `dir`. */
export function createFaults(root: string, dir: string, traced = false): Faults {
  const library = join(root, 'faults.so');
  const source = join(import.meta.dirname, 'faults.c');
  if (!existsSync(library))
    execFileSync('gcc', ['-shared', '-fPIC', '-O2', '-o', library, source, '-ldl', '-lpthread']);
  const trace = join(root, 'trace');
  const now = join(root, 'now');
  return {
    env: {
      LD_PRELOAD: library,
      FAULTS_ROOT: dir,
      FAULTS_NOW: now,
      ...(traced ? { FAULTS_TRACE: trace } : {}),
    },
    trace,
    now(fault) {
      if (fault === undefined) return rmSync(now);
      writeFileSync(`${now}.new`, fault);
      renameSync(`${now}.new`, now);
    },
  };
}
