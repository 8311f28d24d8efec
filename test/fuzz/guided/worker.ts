// The thread that a target runs in; see watch.ts.
import { parentPort, workerData } from 'node:worker_threads';
import { guide } from './guide.ts';
import type { Target } from './target.ts';
import { type Begun, type Ended, INPUT_AT } from './watch.ts';

const { targets, name, dir, seconds, seed, corpus, current } = workerData as Begun;
const { createTargets } = (await import(targets)) as {
  createTargets(dir: string): readonly Target[];
};
const target = createTargets(dir).find((one) => one.name === name);
if (target === undefined) throw new Error(`there is no target ${name}`);

const [counts, bytes] = [new Int32Array(current, 0, 2), new Uint8Array(current, INPUT_AT)];
const end = performance.now() + seconds * 1000;
const { failure, ...outcome } = await guide(target, {
  seed,
  corpus: corpus.map((one) => Buffer.from(one)),
  goesOn: () => performance.now() < end,
  onInput(input) {
    bytes.set(input);
    Atomics.store(counts, 1, input.length);
    Atomics.add(counts, 0, 1);
  },
  onKept: (input) => parentPort?.postMessage({ kept: input }),
});
const why = failure && String((failure.error as Error).stack ?? failure.error);
parentPort?.postMessage({ ...outcome, why } satisfies Ended);
