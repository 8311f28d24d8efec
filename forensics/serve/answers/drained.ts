import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Waits until a stream takes more; rejects if it does not for `idleMs`, or when the signal says so. */
export async function drained(
  stream: Writable,
  idleMs: number,
  signal: AbortSignal,
): Promise<void> {
  const idle = new AbortController();
  const timer = setTimeout(() => idle.abort(new Error('nobody reads')), idleMs);
  try {
    await once(stream, 'drain', { signal: AbortSignal.any([signal, idle.signal]) });
  } finally {
    clearTimeout(timer);
  }
}
