import { KEYS } from '../../record/fields.ts';
import type { StoredRecord } from '../../record/read.ts';

/** A request may arrive this long before its exec, and the clocks may differ by this much. */
const BEFORE_NS = 60_000_000_000n;
const AFTER_NS = 2_000_000_000n;

/** A time in Unix nanoseconds, with both ends. */
export interface Window {
  readonly first: bigint;
  readonly last: bigint;
}

/** Returns when the request behind a record may have arrived; undefined: no request is behind it. */
export function windowOf({ attributes, timestamp }: StoredRecord): Window | undefined {
  if (attributes[KEYS.entry] !== 'exec' || timestamp === undefined) return undefined;
  return { first: timestamp - BEFORE_NS, last: timestamp + AFTER_NS };
}

/**
 * Returns the times in which the requests behind records arrive up to `lateNs` later, or so much earlier and
 * later; none overlap.
 */
export function windowsOf(
  records: readonly StoredRecord[],
  lateNs: bigint,
  aroundNs = 0n,
): Window[] {
  const windows = records
    .map(windowOf)
    .filter((window) => window !== undefined)
    .sort((one, other) => (one.first < other.first ? -1 : 1));
  const all: Window[] = [];
  for (const window of windows) {
    const before = all.at(-1);
    const first = window.first - aroundNs;
    const last = window.last + lateNs + aroundNs;
    if (before !== undefined && first <= before.last)
      all[all.length - 1] = { first: before.first, last };
    else all.push({ first, last });
  }
  return all;
}
