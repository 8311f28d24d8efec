import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent } from '../test/support/agent.ts';
import { Cleanup } from './cleanup.ts';

/** Where benchmarks run, and how long. */
export interface Bed {
  readonly cleanup: Cleanup;
  /** for their files; gone at the end */
  readonly directory: string;
  /** a no-op under a name of its own, so that its records are told from all others */
  readonly noop: string;
  readonly rounds: number;
  /** of one storm */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly idleSeconds: number;
  readonly soakSeconds: number;
  readonly outageSeconds: number;
}

/** Makes a folder with what the benchmarks share; BENCH_ROUNDS, BENCH_SECONDS, BENCH_IDLE_SECONDS, BENCH_SOAK_SECONDS, BENCH_OUTAGE_SECONDS. */
export function createBed(): Bed {
  const cleanup = new Cleanup();
  const directory = mkdtempSync(join(tmpdir(), 'vcml-bench-'));
  // Last of all, and also where a cluster ends the process by itself.
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  // As a command's name it must not be longer than 15 bytes.
  const noop = join(directory, `noop-${process.pid}`);
  const source = join(import.meta.dirname, 'noop.c');
  execFileSync('gcc', ['-O2', '-static', '-nostdlib', source, '-o', noop]);
  return {
    cleanup,
    directory,
    noop,
    rounds: numberFrom('BENCH_ROUNDS', 5),
    seconds: numberFrom('BENCH_SECONDS', 12),
    warmUpSeconds: 3,
    idleSeconds: numberFrom('BENCH_IDLE_SECONDS', 20),
    soakSeconds: numberFrom('BENCH_SOAK_SECONDS', 600),
    outageSeconds: numberFrom('BENCH_OUTAGE_SECONDS', 600),
  };
}

function numberFrom(variable: string, otherwise: number): number {
  const value = Number(process.env[variable] ?? otherwise);
  if (!(value > 0)) throw new Error(`${variable} must be a number above 0`);
  return value;
}

/** An agent on a journal and a bpffs of its own, not started yet; close() leaves nothing of it. */
export function prepareAgent(bed: Bed, ...args: readonly string[]) {
  const agent = new Agent({ args });
  return { agent, close: bed.cleanup.add(() => agent.close()) };
}

/** A recording agent; see prepareAgent. */
export async function startedAgent(bed: Bed, ...args: readonly string[]) {
  const prepared = prepareAgent(bed, ...args);
  await prepared.agent.start();
  return prepared;
}
