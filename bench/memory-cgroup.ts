import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed } from './bed.ts';
import { MEMORY_HIERARCHY } from './memory.ts';

let made = 0;

/** A memory cgroup for one process, so that its working set is that process's alone. */
export interface MemoryCgroup {
  /** Writes a script that enters the cgroup and then executes a program with its own arguments. */
  launcher(program: string): string;
  /** Removes the cgroup, which its process must have left. */
  close(): Promise<void>;
}

/** Makes a memory cgroup. Whatever runs in it must be cleaned up first, so it comes before that. */
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
