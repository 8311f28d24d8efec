import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed } from './bed.ts';
import { MEMORY_HIERARCHY } from './memory.ts';

let made = 0;

/** A memory cgroup for one process, whose working set is then that of the cgroup. */
export interface MemoryCgroup {
  /**
   * Writes a script that enters the cgroup and executes a program with the arguments of the script.
   */
  launcher(program: string): string;
  /** Removes the cgroup; its process must have ended. */
  close(): Promise<void>;
}

/**
 * Makes a memory cgroup. Call it before what runs in the cgroup, because cleaning up is in reverse
 * order.
 */
export function createMemoryCgroup(bed: Bed): MemoryCgroup {
  const name = `vcml-bench-${process.pid}-${++made}`;
  const folder = join(MEMORY_HIERARCHY, name);
  mkdirSync(folder);
  const close = bed.cleanup.add(() => rmdirSync(folder));
  return {
    launcher(program) {
      const script = join(bed.directory, name);
      const enter = `echo $$ >'${folder}/cgroup.procs'`;
      writeFileSync(script, `#!/bin/sh\n${enter} && exec '${program}' "$@"\n`, { mode: 0o755 });
      return script;
    },
    close,
  };
}
