const ZERO = 0x30;
const DAY_BYTES = 10;
let knownSeconds = Number.NaN;
const known = Buffer.alloc(DAY_BYTES);

/** Returns the Unix seconds of a time as `2026-01-31T00:00:00.000000000Z`; NaN: it is none. */
export function secondsOf(bytes: Buffer, at: number): number {
  if (bytes[at + 10] !== 0x54 || bytes[at + 13] !== 0x3a || bytes[at + 16] !== 0x3a)
    return Number.NaN;
  if (bytes[at + 19] !== 0x2e || bytes[at + 29] !== 0x5a) return Number.NaN;
  for (let digit = at + 20; digit < at + 29; digit++) if (!isDigit(bytes[digit])) return Number.NaN;
  const hours = twoDigits(bytes, at + 11);
  const minutes = twoDigits(bytes, at + 14);
  const seconds = twoDigits(bytes, at + 17);
  if (!(hours < 24 && minutes < 60 && seconds < 60)) return Number.NaN;
  return dayOf(bytes, at) + 3600 * hours + 60 * minutes + seconds;
}

/** Most lines are of the same day as the one before. */
function dayOf(bytes: Buffer, at: number): number {
  for (let i = 0; i < DAY_BYTES; i++)
    if (bytes[at + i] !== known[i]) {
      bytes.copy(known, 0, at, at + DAY_BYTES);
      const knownDay = known.toString('latin1');
      const ms = /^\d{4}-\d\d-\d\d$/.test(knownDay)
        ? Date.parse(`${knownDay}T00:00:00Z`)
        : Number.NaN;
      const isDay = !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(knownDay);
      knownSeconds = isDay ? ms / 1000 : Number.NaN;
      break;
    }
  return knownSeconds;
}

function twoDigits(bytes: Buffer, at: number): number {
  const high = bytes[at];
  const low = bytes[at + 1];
  if (high === undefined || low === undefined || !isDigit(high) || !isDigit(low)) return Number.NaN;
  return 10 * (high - ZERO) + low - ZERO;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= ZERO + 9;
}
