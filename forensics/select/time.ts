import { parseTime, TIME_FORMS } from '../../record/since.ts';
import { ForensicsError } from '../errors.ts';

/** An hour in nanoseconds. */
export const HOUR_NS = 3_600_000_000_000n;

/**
 * Parses a time that a user wrote (record/since.ts) into Unix nanoseconds; throws an error of
 * usage.
 */
export function momentOf(given: string, nowMs: number): bigint {
  const nanoseconds = parseTime(given, nowMs);
  if (nanoseconds !== undefined) return nanoseconds;
  throw new ForensicsError(
    'usage',
    `${JSON.stringify(given)} is not a time: it must be ${TIME_FORMS}`,
  );
}
