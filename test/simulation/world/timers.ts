import { current } from './current.ts';

// biome-ignore lint/performance/noBarrelFile: the agent's own turns take no time
export { setImmediate } from 'node:timers/promises';

/** In place of that of `node:timers/promises`. */
export function setTimeout<T>(
  ms: number,
  value?: T,
  { signal }: { signal?: AbortSignal } = {},
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const fail = () => reject(signal?.reason);
    if (signal?.aborted) return fail();
    const timer = current().after(ms, () => {
      signal?.removeEventListener('abort', abort);
      resolve(value);
    });
    const abort = () => {
      current().clock.cancel(timer);
      fail();
    };
    signal?.addEventListener('abort', abort, { once: true });
  });
}
