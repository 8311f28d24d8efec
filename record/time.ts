import { type BootTime, nanosecondsOf, type WallOffset } from './types.ts';

const dates = new Map<number, string>();
const DATES_MAX = 1024;
const NANOS = 1_000_000_000n;

/** Returns a boot time on the wall clock, since 1970. */
export function onWall(time: BootTime, offset: WallOffset): BootTime {
  const sum = time.nanos + offset.nanos;
  const carry = sum >= 1e9 ? 1 : 0;
  return { seconds: time.seconds + offset.seconds + carry, nanos: sum - carry * 1e9 };
}

/** Returns a boot time as Unix nanoseconds. */
export function wall(time: BootTime, offset: WallOffset): string {
  return nanosecondsOf(onWall(time, offset));
}

/** Returns a boot time in RFC 3339, UTC, with nanoseconds. */
export function rfc3339(time: BootTime, offset: WallOffset): string {
  const { seconds, nanos } = onWall(time, offset);
  return `${dateOf(seconds)}.${`${1_000_000_000 + nanos}`.slice(1)}Z`;
}

/**
 * Returns Unix nanoseconds in RFC 3339, UTC, with nanoseconds; undefined beyond the dates of
 * JavaScript.
 */
export function rfc3339Of(nanoseconds: bigint): string | undefined {
  // A remainder has the sign of the dividend, which is the wrong one before 1970.
  const nanos = ((nanoseconds % NANOS) + NANOS) % NANOS;
  const date = new Date(Number((nanoseconds - nanos) / 1_000_000n));
  if (Number.isNaN(date.getTime())) return undefined;
  return `${date.toISOString().slice(0, -5)}.${`${nanos}`.padStart(9, '0')}Z`;
}

/** Returns seconds since 1970 as a date and time of day, UTC. */
export function dateOf(seconds: number): string {
  const known = dates.get(seconds);
  if (known !== undefined) return known;
  if (dates.size >= DATES_MAX) dates.clear();
  const date = new Date(seconds * 1000).toISOString().slice(0, 19);
  dates.set(seconds, date);
  return date;
}
