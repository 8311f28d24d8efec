/**
 * Makes callers of a function that may never end wait for so many milliseconds at most: then they get
 * undefined. While a call has not ended, there is no other one, and its callers share it.
 */
export function boundedCall<T>(call: () => Promise<T>, ms: number): () => Promise<T | undefined> {
  let pending: Promise<T> | undefined;
  return async () => {
    pending ??= call().finally(() => {
      pending = undefined;
    });
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => resolve(undefined), ms);
    try {
      return await Promise.race([pending, promise]);
    } finally {
      clearTimeout(timer);
    }
  };
}
