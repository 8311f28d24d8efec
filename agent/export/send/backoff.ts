const FIRST_MS = 100;
/** Short enough to be back within two seconds of a collector's return, after whatever outage. */
const LONGEST_MS = 1200;

/** How long to wait before attempt number `failures` + 1: it doubles up to a bound, half of it by chance. */
export function backoffMs(failures: number, random: () => number = Math.random): number {
  const ms = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 20));
  return ms * (0.5 + random() / 2);
}
