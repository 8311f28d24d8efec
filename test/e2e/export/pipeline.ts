import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { CleanUp } from '../../support/temporary-folder.ts';
import { until } from '../../support/until.ts';
import { OTELCOL } from './collector.ts';

const FOLDER = 'deploy/collector';

/** A collector with one of the project's configurations. */
export interface Pipeline {
  /** Its output. */
  said(): string;
  /** Ends it, and waits until it has ended. */
  stop(signal: NodeJS.Signals): Promise<void>;
}

/**
 * Starts a collector with configurations of `deploy/collector` that are laid over each other, and waits
 * until it is ready. `wrap` may change the command line.
 */
export async function startPipeline(
  t: CleanUp,
  names: readonly string[],
  settings: Readonly<Record<string, string>>,
  wrap = (command: readonly string[]) => [...command],
): Promise<Pipeline> {
  const [command = '', ...args] = wrap([OTELCOL ?? '', ...configs(names)]);
  const child = spawn(command, args, {
    env: { ...process.env, ...settings },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(() => stop(child, 'SIGKILL'));
  let said = '';
  child.stderr.on('data', (data) => {
    said += data;
  });
  await until(`${names.join(' with ')} runs`, () => {
    if (child.exitCode !== null) throw new Error(`${names.join(' with ')} ended: ${said}`);
    return said.includes('Everything is ready');
  });
  return { said: () => said, stop: (signal) => stop(child, signal) };
}

/** Runs the collector's own `validate` on configurations that are laid over each other. */
export function validate(names: readonly string[], settings: Readonly<Record<string, string>>) {
  const env = { ...process.env, ...settings };
  execFileSync(OTELCOL ?? '', ['validate', ...configs(names)], { env, stdio: 'pipe' });
}

/** Returns whether a file in the folder of a queue contains a text. */
export function holds(folder: string, text: string): boolean {
  try {
    execFileSync('grep', ['-raqF', text, folder]);
    return true;
  } catch {
    return false;
  }
}

function configs(names: readonly string[]): string[] {
  return names.flatMap((name) => ['--config', join(FOLDER, `${name}.yaml`)]);
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}
