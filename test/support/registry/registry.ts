import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { built } from '../paths.ts';
import type { CleanUp } from '../temporary-folder.ts';

/** Starts a registry in memory, which ends with the test, and returns its HOST:PORT. */
export async function startRegistry(t: CleanUp): Promise<string> {
  const child: ChildProcess = spawn(built('registry/registry'), {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => child.kill('SIGKILL'));
  if (child.stdout === null) throw new Error('the registry has no stdout');
  const [line] = await once(createInterface(child.stdout), 'line');
  return String(line);
}
