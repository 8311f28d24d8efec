import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { WORKER } from '../installed.ts';
import type { ScannedFile, ToScan } from './scan-file.ts';

/** A thread is at most so many files ahead of the one that is taken next. */
const AHEAD = 3;

/** Threads that are starting, until files are read in them. */
let prepared: readonly Worker[] = [];

/** Starts threads while other things are done. They end with the process if nobody needs them. */
export function prepareThreads(files: number): void {
  if (prepared.length > 0) return;
  prepared = startThreads(files);
  for (const thread of prepared) thread.unref();
}

function startThreads(files: number): Worker[] {
  return Array.from({ length: Math.min(availableParallelism(), files) }, () => new Worker(WORKER));
}

function takeThreads(files: number): readonly Worker[] {
  const threads = prepared.length > 0 ? prepared : startThreads(files);
  prepared = [];
  for (const thread of threads) thread.ref();
  return threads;
}

/**
 * Reads files in threads, one for each processor, and yields what each has, in their order.
 * Undefined: DuckDB must read that file.
 */
export async function* scanInThreads(
  files: readonly ToScan[],
): AsyncGenerator<ScannedFile | undefined> {
  const all = takeThreads(files.length);
  const idle = [...all];
  const started: Promise<ScannedFile | undefined>[] = [];
  const waiting: (() => void)[] = [];
  const scan = async (file: ToScan): Promise<ScannedFile | undefined> => {
    while (idle.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    const worker = idle.pop();
    if (worker === undefined) throw new RangeError('no thread is idle');
    worker.postMessage(file);
    const [scanned] = await once(worker, 'message');
    idle.push(worker);
    waiting.shift()?.();
    return scanned;
  };
  try {
    for (let at = 0; at < files.length; at += 1) {
      for (const file of files.slice(started.length, at + all.length + AHEAD))
        started.push(scan(file));
      for (const one of started) one.catch(() => {}); // It is met where it is awaited.
      yield await started[at];
    }
  } finally {
    await Promise.all(all.map((worker) => worker.terminate()));
  }
}
