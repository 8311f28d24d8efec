import { readFileSync } from 'node:fs';

/**
 * Returns a process's anonymous memory, in MiB: without files, which are in the page cache, and without
 * the ring.
 */
export function ownMib(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const [, kib] = /^Anonymous:\s+(\d+) kB$/m.exec(rollup) ?? [];
  if (kib === undefined) throw new Error(rollup);
  return Number(kib) / 1024;
}
