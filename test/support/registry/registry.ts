import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { built } from '../paths.ts';
import type { CleanUp } from '../temporary-folder.ts';

/**
 * Starts a registry in memory, which ends with the test, and returns its HOST:PORT. `inside` returns the
 * command that runs another one where the registry is to listen.
 */
export async function startRegistry(
  t: CleanUp,
  inside = (command: readonly string[]): readonly string[] => command,
): Promise<string> {
  const [file = '', ...args] = inside([built('registry/registry')]);
  const child: ChildProcess = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  t.after(() => child.kill('SIGKILL'));
  if (child.stdout === null) throw new Error('the registry has no stdout');
  const [line] = await once(createInterface(child.stdout), 'line');
  return String(line);
}
