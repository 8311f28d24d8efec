import { setTimeout as pause } from 'node:timers/promises';

/** A call waits for this many times what the one before it took, but not longer than the maximum. */
const PAUSE_PER_CALL = 9;
const PAUSE_MAX_MS = 1000;

/**
 * Makes the callers of a costly function share its calls: all who ask before a call begins get its
 * result. So a result is never older than the question. Calls never overlap, and pauses between them
 * leave the caller who never stops a tenth of the time, or more where a call takes longer than the
 * longest pause.
 */
export function sharedCall<T>(call: () => Promise<T>): () => Promise<T> {
  let next: Promise<T> | undefined;
  let before: Promise<unknown> = Promise.resolve();
  let notBefore = 0;

  async function begin(): Promise<T> {
    await before;
    const ms = notBefore - performance.now();
    if (ms > 0) await pause(ms, undefined, { ref: false });
    next = undefined;
    const began = performance.now();
    const called = call();
    before = called
      .catch(() => {})
      .then(() => {
        const ended = performance.now();
        notBefore = ended + Math.min(PAUSE_PER_CALL * (ended - began), PAUSE_MAX_MS);
      });
    return called;
  }

  return () => {
    next ??= begin();
    return next;
  };
}
