import type { BootTime, WallOffset } from '../record.ts';

const dates = new Map<number, string>();
const DATES_MAX = 1024;

/** A boot time as Unix nanoseconds. */
export function wall(time: BootTime, offset: WallOffset): string {
  const sum = time.nanos + offset.nanos;
  const carry = sum >= 1e9 ? 1 : 0;
  return `${time.seconds + offset.seconds + carry}${nineDigits(sum - carry * 1e9)}`;
}

/** A boot time in RFC 3339, UTC, with nanoseconds. */
export function rfc3339(time: BootTime, offset: WallOffset): string {
  const sum = time.nanos + offset.nanos;
  const carry = sum >= 1e9 ? 1 : 0;
  return `${dateOf(time.seconds + offset.seconds + carry)}.${nineDigits(sum - carry * 1e9)}Z`;
}

function nineDigits(value: number): string {
  return `${1_000_000_000 + value}`.slice(1);
}

function dateOf(seconds: number): string {
  const known = dates.get(seconds);
  if (known !== undefined) return known;
  if (dates.size >= DATES_MAX) dates.clear();
  const date = new Date(seconds * 1000).toISOString().slice(0, 19);
  dates.set(seconds, date);
  return date;
}
