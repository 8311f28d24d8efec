import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { VCML_BIN } from '../../test/support/paths.ts';

const WATCH_MS = 10;

/** The time and memory of one command, including its start. */
export interface Run {
  readonly seconds: number;
  readonly mebibytes: number;
}

/** Runs a command that must succeed, and measures it including the start of Node and DuckDB. */
export async function runVcml(args: readonly string[]): Promise<Run> {
  const began = performance.now();
  const child = spawn(VCML_BIN, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  let kibibytes = 0;
  const watch = setInterval(() => {
    kibibytes = Math.max(kibibytes, mostMemory(child.pid ?? 0));
  }, WATCH_MS);
  const [code] = await once(child, 'exit');
  clearInterval(watch);
  const seconds = (performance.now() - began) / 1000;
  if (code !== 0) throw new Error(`vcml ${args[0]} ended with ${code}`);
  return { seconds, mebibytes: kibibytes / 1024 };
}

/** Returns the peak memory of a process so far in KiB; 0 if it has ended. */
function mostMemory(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
