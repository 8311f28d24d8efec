import { setTimeout as sleep } from 'node:timers/promises';

/** Long enough for a busy machine; a test that passes does not come near it. */
const TIMEOUT_MS = 120_000;
const INTERVAL_MS = 10;

/** How long `until` waits, and how often it looks. */
export interface Patience {
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
}

/**
 * Waits until `look` returns something other than `undefined` and `false`, and returns that. Errors
 * of `look` pass through; `what` names what did not happen, in the error of a timeout.
 */
export async function until<T>(
  what: string | (() => string),
  look: () => T | undefined | false | Promise<T | undefined | false>,
  { timeoutMs = TIMEOUT_MS, intervalMs = INTERVAL_MS }: Patience = {},
): Promise<T> {
  for (const deadline = performance.now() + timeoutMs; ; await sleep(intervalMs)) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline)
      throw new Error(`${typeof what === 'string' ? what : what()}: not within ${timeoutMs} ms`);
  }
}
