const FIRST_MS = 100;
/**
 * Short enough to reconnect within two seconds after the collector returns, however long it was
 * away.
 */
const LONGEST_MS = 1200;

/**
 * Returns how long to wait before attempt number `failures` + 1: a doubling, bounded time, half of
 * it random.
 */
export function backoffMs(failures: number, random: () => number = Math.random): number {
  const ms = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 20));
  return ms * (0.5 + random() / 2);
}
