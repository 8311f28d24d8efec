import { ForensicsError } from '../errors.ts';

const BACK = /^(\d{1,9})([smhdw])$/;
const UNITS_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
const ABSOLUTE = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(\.\d{1,9})?(Z|[+-]\d\d:\d\d))?$/i;

/**
 * Unix nanoseconds of what a person wrote: a date (its beginning in UTC), a time with its zone, or a
 * duration back from now. Throws USAGE.
 */
export function momentOf(given: string, nowMs: number): bigint {
  const nanoseconds = backOf(given, nowMs) ?? absoluteOf(given);
  if (nanoseconds !== undefined) return nanoseconds;
  throw new ForensicsError(
    'usage',
    `${JSON.stringify(given)} is no time: say 90s, 15m, 2h or 3d back from now, a date such as ` +
      '2026-01-31 (its beginning in UTC), or a time with its zone such as 2026-01-31T12:00:00Z',
  );
}

function backOf(given: string, nowMs: number): bigint | undefined {
  const [, amount, unit = ''] = BACK.exec(given) ?? [];
  const seconds = UNITS_S[unit];
  if (amount === undefined || seconds === undefined) return undefined;
  return BigInt(nowMs) * 1_000_000n - BigInt(amount) * BigInt(seconds) * 1_000_000_000n;
}

function absoluteOf(given: string): bigint | undefined {
  const [, date, time = '00:00:00', fraction = '.', zone = 'Z'] = ABSOLUTE.exec(given) ?? [];
  if (date === undefined) return undefined;
  const ms = Date.parse(`${date}T${time.length === 5 ? `${time}:00` : time}${zone.toUpperCase()}`);
  // 30 February would be a day in March
  const day = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(ms) || new Date(day).toISOString().slice(0, 10) !== date) return undefined;
  return BigInt(ms) * 1_000_000n + BigInt(fraction.slice(1).padEnd(9, '0'));
}
