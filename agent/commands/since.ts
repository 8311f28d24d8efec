import { AgentError } from '../errors.ts';

const UNITS_S: Readonly<Record<string, bigint>> = { s: 1n, m: 60n, h: 3600n, d: 86_400n };
const BACK = /^(\d{1,9})([smhd])$/;
const DATE = '(\\d{4})-(\\d\\d)-(\\d\\d)';
const TIME = '([01]\\d|2[0-3]):([0-5]\\d):([0-5]\\d)(?:\\.(\\d+))?';
const ZONE = '(?:Z|([+-])([01]\\d|2[0-3]):([0-5]\\d))';
const RFC_3339 = new RegExp(`^${DATE}(?:[T ]${TIME}${ZONE})?$`, 'i');
const NANOS = 1_000_000_000n;

/** Unix nanoseconds from what `--since` was given: RFC 3339, or a duration back; throws USAGE. */
export function sinceNanos(given: string, nowMs: number): bigint {
  const nanos = back(given, nowMs) ?? timeOf(given);
  if (nanos !== undefined) return nanos;
  throw new AgentError(
    'USAGE',
    `--since is ${JSON.stringify(given)}: must be a date such as 2026-01-31 (its beginning in UTC), ` +
      'a time with its zone such as 2026-01-31T12:00:00Z or 2026-01-31T13:00:00+01:00, ' +
      'or a duration back from now: 90s, 15m, 2h or 3d',
  );
}

function back(given: string, nowMs: number): bigint | undefined {
  const [, amount, unit = ''] = BACK.exec(given) ?? [];
  const seconds = UNITS_S[unit];
  if (amount === undefined || seconds === undefined) return undefined;
  return BigInt(nowMs) * 1_000_000n - BigInt(amount) * seconds * NANOS;
}

function timeOf(given: string): bigint | undefined {
  const match = RFC_3339.exec(given);
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
