import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent } from '../../test/support/agent.ts';
import { Cleanup } from './cleanup.ts';

/** The folder, program and durations that the benchmarks share. */
export interface Bed {
  readonly cleanup: Cleanup;
  /** The folder for their files, which is removed at the end. */
  readonly directory: string;
  /** A no-op with a unique name, which distinguishes its records from all others. */
  readonly noop: string;
  readonly rounds: number;
  /** The duration of one storm. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly idleSeconds: number;
  readonly soakSeconds: number;
  readonly outageSeconds: number;
  /** how many million records a store has */
  readonly storeMillions: number;
  /** the folder of a store that stays, and is asked again; undefined: it is filled, and removed */
  readonly storeFolder: string | undefined;
}

/**
 * Prepares what the benchmarks share. BENCH_ROUNDS, BENCH_SECONDS, BENCH_IDLE_SECONDS,
 * BENCH_SOAK_SECONDS, BENCH_OUTAGE_SECONDS and BENCH_STORE_MILLIONS set their number and durations, and
 * BENCH_STORE_FOLDER keeps the store.
 */
export function createBed(): Bed {
  const cleanup = new Cleanup();
  const directory = mkdtempSync(join(tmpdir(), 'vcml-bench-'));
  // The folder is removed last, also if a cluster ends the process by itself.
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  // The name of a command has at most 15 bytes.
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
    storeMillions: numberFrom('BENCH_STORE_MILLIONS', 40),
    storeFolder: process.env.BENCH_STORE_FOLDER,
  };
}

function numberFrom(variable: string, otherwise: number): number {
  const value = Number(process.env[variable] ?? otherwise);
  if (!(value > 0)) throw new Error(`${variable} must be a number above 0`);
  return value;
}

/**
 * Prepares an agent with its own journal and bpffs and does not start it; close() removes all of
 * it.
 */
export function prepareAgent(bed: Bed, ...args: readonly string[]) {
  const agent = new Agent({ args });
  return { agent, close: bed.cleanup.add(() => agent.close()) };
}

/** Starts an agent that prepareAgent() prepares, and waits until it records. */
export async function startedAgent(bed: Bed, ...args: readonly string[]) {
  const prepared = prepareAgent(bed, ...args);
  await prepared.agent.start();
  return prepared;
}
