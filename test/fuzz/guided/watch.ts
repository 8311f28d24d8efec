import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

/** Behind how many inputs were begun, and how long the one is that runs. */
export const INPUT_AT = 8;
const INPUT_MAX_BYTES = 1 << 20;
const MEMORY_MAX_MIB = 1024;

export interface Watched {
  /** URL of the module whose createTargets(dir) makes the targets */
  readonly targets: string;
  /** of the target */
  readonly name: string;
  /** For what the target writes. */
  readonly dir: string;
  readonly seconds: number;
  readonly seed: number;
  /** Where inputs are kept from run to run. */
  readonly folder: string;
  /** An input that takes longer hangs. */
  readonly patienceMs: number;
}

/** The parameters of the thread. */
export interface Begun extends Watched {
  readonly corpus: readonly Uint8Array[];
  readonly current: SharedArrayBuffer;
}

/** The thread's last message; why: how the last input ended. */
export interface Ended {
  readonly rounds: number;
  readonly kept: number;
  readonly why: string | undefined;
}

/**
 * Runs a target in a thread of its own, which can be ended when it hangs or takes all memory. Inputs
 * that reach something new are kept in the folder and tried first by the next run, and so is the one
 * that fails: `failing`.
 */
export async function watch(options: Watched): Promise<Ended & { readonly failing?: string }> {
  const { folder, patienceMs } = options;
  mkdirSync(folder, { recursive: true });
  const corpus = readdirSync(folder).map((name) => readFileSync(join(folder, name)));
  const current = new SharedArrayBuffer(INPUT_AT + INPUT_MAX_BYTES);
  const counts = new Int32Array(current, 0, 2);
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: { ...options, corpus, current } satisfies Begun,
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MAX_MIB },
  });
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const fail = (why: string) => resolve({ rounds: counts[0] ?? 0, kept: corpus.length, why });
  let seen = 0;
  const timer = setInterval(() => {
    const begun = Atomics.load(counts, 0);
    if (begun > 0 && begun === seen) fail(`it hangs: no end after ${patienceMs} ms`);
    seen = begun;
  }, patienceMs);
  worker.on('message', (message: Ended | { readonly kept: Uint8Array }) => {
    if ('rounds' in message) resolve(message);
    else save(folder, 'kept', message.kept);
  });
  worker.on('error', (error) => fail(String(error)));
  const ended = await promise;
  clearInterval(timer);
  await worker.terminate();
  if (ended.why === undefined) return ended;
  const input = new Uint8Array(current).slice(INPUT_AT, INPUT_AT + (counts[1] ?? 0));
  return { ...ended, failing: save(folder, 'failing', input) };
}

function save(folder: string, kind: 'kept' | 'failing', input: Uint8Array): string {
  const file = join(folder, `${kind}-${createHash('sha1').update(input).digest('hex')}`);
  writeFileSync(file, input);
  return file;
}
