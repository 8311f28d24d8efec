import type { Hook } from '../source/hook.ts';

/** More often than the shortest `quietAfter`. */
const TOUCH_EVERY_MS = 200;

/**
 * Waits for work that does not read the ring, and shows the kernel side meanwhile that an agent is
 * there: otherwise the hook would stop storing events after `quietAfter`.
 */
export async function attended<T>(hook: Pick<Hook, 'touch'>, work: Promise<T>): Promise<T> {
  const timer = setInterval(() => hook.touch(), TOUCH_EVERY_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}
