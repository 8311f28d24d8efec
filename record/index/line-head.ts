import { FIRST, LAYOUT } from '../line/layout.ts';
import { Words } from '../line/words.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const BRACE = 0x7d;
const DASH = 0x2d;
const ZERO = 0x30;
const ID_BYTES = 36;
/** Nanoseconds from the year 2001 to the year 2262 have as many digits. */
export const TIME_DIGITS = 19;
const LOW_DIGITS = 9;
/** the digits of the seconds */
export const TIME_HIGH_DIGITS = TIME_DIGITS - LOW_DIGITS;
/** 2^63 in billions; no engine reads what is as large. */
export const TIME_HIGH_END = 9_223_372_036;
/** A line with less has no resource. */
const LINE_MIN = 160;

const ID = new Words(`${LAYOUT.id}"`);
const TIMESTAMP = new Words(`"${LAYOUT.timestamp}`);
const PARENT = new Words(`"${LAYOUT.parentCause}`);
const NULL = new Words(`null${LAYOUT.resource}`);
const RESOURCE = new Words(`"${LAYOUT.resource}`);
const CAUSED = new Words(`"parent_process_context"${LAYOUT.parentCause}`);
const UNOBSERVED = new Words(`"unobserved_parent"${LAYOUT.parentCause}`);
const COLON = 0x3a;
/** Where the time of a line is. */
export const TIME_AT = ID.length + ID_BYTES + TIMESTAMP.length;
/** What follows every resource. */
export const BEHIND_RESOURCE = Buffer.from(`${LAYOUT.attributes}${FIRST.attribute}"`);

/** How far to skip from a byte that is not the last one of PARENT. */
const SKIPS = new Uint8Array(256).fill(PARENT.length);
for (const [at, byte] of Buffer.from(`"${LAYOUT.parentCause}`).subarray(0, -1).entries())
  SKIPS[byte] = PARENT.length - 1 - at;

/** The value of each hexadecimal digit as it stands in an id; 16: it is none. */
const NIBBLES = new Uint8Array(256).fill(16);
for (let digit = 0; digit < 16; digit++) NIBBLES[digit.toString(16).charCodeAt(0)] = digit;

/**
 * Reads, of a line that the agent wrote, what tells whether a reader needs it: its id, its time, its
 * cause and its resource. It looks at a small part of the line, and so does not say that the line is
 * sound. What it does not read may be a record, too.
 */
export class LineHead {
  /** the position of the id, which has 36 bytes */
  idAt = 0;
  /** the first 32 bits of the id */
  id = 0;
  /** the time in nanoseconds since 1970 is `timeHigh` * 10^9 + `timeLow` */
  timeHigh = 0;
  timeLow = 0;
  /** the position of the id of the cause; -1: there is none */
  parentAt = -1;
  /** the first 32 bits of the id of the cause; -1: there is none */
  parent = -1;
  /** whether the record is an exec, as far as the reason why it was permitted says so */
  isExec = false;
  /** the position of the resource's first brace */
  resourceAt = 0;

  /** Reads the line in these bytes, without its line feed; returns whether it has this form. */
  read(bytes: Buffer, view: DataView, from: number, to: number): boolean {
    if (to - from < LINE_MIN || bytes[to - 1] !== BRACE || bytes[to - 2] !== BRACE) return false;
    this.idAt = ID.after(view, from);
    if (this.idAt < 0) return false;
    this.id = beginOfId(bytes, this.idAt);
    if (this.id < 0) return false;
    const at = TIMESTAMP.after(view, this.idAt + ID_BYTES);
    if (at < 0 || !this.#time(bytes, at)) return false;
    const cause = behindParent(bytes, view, at + TIME_DIGITS, to);
    if (cause < 0) return false;
    if (bytes[cause] !== QUOTE) {
      this.parentAt = -1;
      this.parent = -1;
      this.isExec = isBefore(cause, UNOBSERVED, view);
      this.resourceAt = NULL.after(view, cause);
      return this.resourceAt >= 0;
    }
    this.parentAt = cause + 1;
    this.parent = beginOfId(bytes, this.parentAt);
    this.isExec = isBefore(cause, CAUSED, view);
    this.resourceAt = RESOURCE.after(view, this.parentAt + ID_BYTES);
    return this.parent >= 0 && this.resourceAt >= 0;
  }

  #time(bytes: Buffer, from: number): boolean {
    const middle = from + TIME_HIGH_DIGITS;
    const end = from + TIME_DIGITS;
    this.timeHigh = digits(bytes, from, middle);
    this.timeLow = digits(bytes, middle, end);
    if (this.timeHigh < 0 || this.timeHigh >= TIME_HIGH_END || this.timeLow < 0) return false;
    return bytes[end] === COMMA;
  }
}

/** Returns the number that these bytes write; -1: not all are digits. */
export function digits(bytes: Buffer, from: number, to: number): number {
  let value = 0;
  let bad = 0;
  for (let at = from; at < to; at++) {
    const digit = (bytes[at] as number) - ZERO;
    bad |= digit | (9 - digit);
    value = 10 * value + digit;
  }
  return bad < 0 ? -1 : value;
}

/** Returns the first 32 bits of an id in lower case; -1: it is none. */
function beginOfId(bytes: Buffer, at: number): number {
  if (bytes[at + 8] !== DASH || bytes[at + 13] !== DASH) return -1;
  if (bytes[at + 18] !== DASH || bytes[at + 23] !== DASH) return -1;
  const a = NIBBLES[bytes[at] as number] as number;
  const b = NIBBLES[bytes[at + 1] as number] as number;
  const c = NIBBLES[bytes[at + 2] as number] as number;
  const d = NIBBLES[bytes[at + 3] as number] as number;
  const e = NIBBLES[bytes[at + 4] as number] as number;
  const f = NIBBLES[bytes[at + 5] as number] as number;
  const g = NIBBLES[bytes[at + 6] as number] as number;
  const h = NIBBLES[bytes[at + 7] as number] as number;
  if ((a | b | c | d | e | f | g | h) > 15) return -1;
  const high = (a << 12) | (b << 8) | (c << 4) | d;
  return high * 0x10000 + ((e << 12) | (f << 8) | (g << 4) | h);
}

function isBefore(end: number, words: Words, view: DataView): boolean {
  return words.after(view, end - words.length) === end;
}

/** Returns the position behind the name of the cause (Horspool's search); -1: it is not there. */
function behindParent(bytes: Buffer, view: DataView, from: number, to: number): number {
  const last = PARENT.length - 1;
  for (let at = from + last; at < to; at += SKIPS[bytes[at] as number] as number)
    if (bytes[at] === COLON && PARENT.after(view, at - last) >= 0) return at + 1;
  return -1;
}
