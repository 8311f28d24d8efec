import { parseTime, TIME_FORMS } from '../../record/since.ts';
import { ForensicsError } from '../errors.ts';

/** Unix nanoseconds of a time that a person wrote (record/since.ts); throws USAGE. */
export function momentOf(given: string, nowMs: number): bigint {
  const nanoseconds = parseTime(given, nowMs);
  if (nanoseconds !== undefined) return nanoseconds;
  throw new ForensicsError(
    'usage',
    `${JSON.stringify(given)} is not a time: it must be ${TIME_FORMS}`,
  );
}
