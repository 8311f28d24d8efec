import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { text } from 'node:stream/consumers';
import { program } from '../../test/support/agent.ts';
import type { Bed } from './bed.ts';

/** There are as many loops as CPUs, so every tool takes its CPU time from the storm. */
export const LOOPS = Math.max(2, availableParallelism());

/**
 * Executes the no-op for some seconds, and returns the number of execs. `env` says how, for
 * test/programs/storm.c.
 */
export async function storm(
  { cleanup, noop }: Bed,
  seconds: number,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  const child = spawn(program('storm'), [`${LOOPS}`, `${seconds}`, noop, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env,
    // Its loops are its children and end with it.
    detached: true,
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('storm did not start: make build');
  const end = cleanup.add(() => {
    if (child.exitCode === null) process.kill(-pid, 'SIGKILL');
  });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  await end();
  const execs = Number(output);
  if (code !== 0 || !(execs > 0)) throw new Error(`storm ended with ${code}: ${output}`);
  return execs;
}

/**
 * Returns arguments of exactly 8 KiB as the kernel counts them, with the program's name and the
 * NULs.
 */
export function longArguments({ noop }: Bed): string[] {
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789-_=/ ';
  const length = 8192 - (noop.length + 1) - 1;
  return [Array.from({ length }, (_, at) => letters[(at * at * 7 + at) % letters.length]).join('')];
}
