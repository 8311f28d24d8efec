import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const CGROUPS = '/sys/fs/cgroup';
const IS_V1 = existsSync(join(CGROUPS, 'memory/memory.stat'));

/** The folder of memory cgroups: of version 1 if it has the controller, otherwise of version 2. */
export const MEMORY_HIERARCHY = IS_V1 ? join(CGROUPS, 'memory') : CGROUPS;

/** The memory of a process in bytes. */
export interface Memory {
  /**
   * Its own memory, which includes neither files, which the page cache has, nor the ring buffer.
   */
  readonly anonymous: number;
  /**
   * The working set that the kubelet reports: what its memory cgroup is charged for, without
   * inactive files.
   */
  readonly workingSet: number;
  /**
   * The peak that `ps` shows, including the program file, without the ring buffer, which `ps`
   * counts twice.
   */
  readonly residentPeak: number;
}

/** Reads the present memory of a process in its own memory cgroup; this stops it for a moment. */
export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const smaps = readFileSync(`/proc/${pid}/smaps`, 'utf8');
  // A mapping is a head line that begins with addresses, and lines of `Name: value`.
  const ring = smaps
    .split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
    .filter((mapping) => mapping.slice(0, mapping.indexOf('\n')).includes('bpf-map'))
    .reduce((sum, mapping) => sum + kilobytes(mapping, 'Rss'), 0);
  return {
    anonymous: kilobytes(status, 'RssAnon'),
    workingSet: workingSetBytes(pid),
    residentPeak: kilobytes(status, 'VmHWM') - ring,
  };
}

/** Reads the anonymous memory of a process. */
export function anonymousBytes(pid: number): number {
  return kilobytes(readFileSync(`/proc/${pid}/status`, 'utf8'), 'RssAnon');
}

/** Reads the working set of the memory cgroup of a process. */
export function workingSetBytes(pid: number): number {
  const expression = IS_V1 ? /^\d+:memory:(.*)$/m : /^0::(.*)$/m;
  const path = expression.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
  if (path === undefined) throw new Error(`process ${pid} has no memory cgroup`);
  const folder = join(MEMORY_HIERARCHY, path);
  const usage = join(folder, IS_V1 ? 'memory.usage_in_bytes' : 'memory.current');
  const stat = readFileSync(join(folder, 'memory.stat'), 'utf8');
  const inactive = /^(?:total_)?inactive_file (\d+)$/gm;
  const last = Array.from(stat.matchAll(inactive)).at(-1)?.[1];
  if (last === undefined) throw new Error(`${folder}/memory.stat has no inactive_file`);
  return Number(readFileSync(usage, 'utf8')) - Number(last);
}

function kilobytes(text: string, name: string): number {
  const value = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1];
  if (value === undefined) throw new Error(`no ${name} in ${text.slice(0, 80)}`);
  return Number(value) * 1024;
}
