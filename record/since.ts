const UNITS_S: Readonly<Record<string, bigint>> = {
  s: 1n,
  m: 60n,
  h: 3600n,
  d: 86_400n,
  w: 604_800n,
};
const DURATION = /^(\d{1,9})([smhdw])$/;
const DATE = '(\\d{4})-(\\d\\d)-(\\d\\d)';
const TIME = '([01]\\d|2[0-3]):([0-5]\\d)(?::([0-5]\\d)(?:\\.(\\d+))?)?';
const ZONE = '(?:Z|([+-])([01]\\d|2[0-3]):([0-5]\\d))';
const ABSOLUTE = new RegExp(`^${DATE}(?:[T ]${TIME}${ZONE})?$`, 'i');
const NANOS = 1_000_000_000n;

/** The times that parseTime() accepts, as the end of an error message. */
export const TIME_FORMS =
  'a date such as 2026-01-31 (its beginning in UTC), ' +
  'a time with its zone such as 2026-01-31T12:00:00Z or 2026-01-31T13:00:00+01:00, ' +
  'or a duration back from now: 90s, 15m, 2h, 3d or 1w';

/**
 * Returns Unix nanoseconds from a date, a time with its zone (RFC 3339; the seconds may be
 * omitted), or a duration before `nowMs`; undefined for anything else. Digits beyond the nanosecond
 * are cut.
 */
export function parseTime(given: string, nowMs: number): bigint | undefined {
  return parseDuration(given, nowMs) ?? parseAbsolute(given);
}

function parseDuration(given: string, nowMs: number): bigint | undefined {
  const [, amount, unit = ''] = DURATION.exec(given) ?? [];
  const seconds = UNITS_S[unit];
  if (amount === undefined || seconds === undefined) return undefined;
  return BigInt(nowMs) * 1_000_000n - BigInt(amount) * seconds * NANOS;
}

function parseAbsolute(given: string): bigint | undefined {
  const match = ABSOLUTE.exec(given);
  if (match === null) return undefined;
  const [, year, month, day, hour = 0, minute = 0, second = 0, fraction = ''] = match;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  // 30 February would be a day in March.
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day))
    return undefined;
  date.setUTCHours(Number(hour), Number(minute), Number(second));
  const [sign, zoneHours = 0, zoneMinutes = 0] = match.slice(8);
  const zone = BigInt(Number(zoneHours) * 60 + Number(zoneMinutes)) * 60n * NANOS;
  const nanos = BigInt(date.getTime()) * 1_000_000n + BigInt(fraction.padEnd(9, '0').slice(0, 9));
  return sign === '-' ? nanos + zone : nanos - zone;
}
