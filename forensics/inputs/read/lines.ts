import type { Damage } from './file-window.ts';
import { readText } from './text.ts';

/** One line of a file that is not blank, without its line feed. */
export interface Line {
  /** only its beginning, if the line is longer than LINE_MAX */
  readonly text: string;
  /** from 1; blank lines count as well */
  readonly number: number;
  /** Whether a line feed ends it. */
  readonly whole: boolean;
  readonly isTooLong: boolean;
  /** how many zeros before it are left out; a power cut leaves them in place of what was written */
  readonly zeros: number;
}

/** Where and how to read lines. */
export interface LineOptions {
  /** places among lines that are not blank (from 0, ascending); all lines if absent */
  readonly places?: readonly number[];
  /** where to begin, in a file that is not compressed */
  readonly from?: LineMark;
  /** Called where something is missing, with the number of the line that it would begin. */
  readonly onDamage?: (damage: Damage, number: number) => void;
}

/** The beginning of a line. */
export interface LineMark {
  /** the offset in the file */
  readonly offset: number;
  /** how many lines are before it */
  readonly number: number;
  /** how many of them are not blank */
  readonly place: number;
}

/** In bytes: no line of a journal is nearly as long, and DuckDB reads none that is longer. */
export const LINE_MAX = 128 << 20;
const LONG_SHOWN = 4 << 10;
const LINE_FEED = 0x0a;
/** Files that begin with one may have been joined. */
const BYTE_ORDER_MARK = /^\ufeff\0*/;
const START: LineMark = { offset: 0, number: 0, place: 0 };

/**
 * Yields the lines of a file, whatever its compression. Where the file is damaged, a line ends, and
 * reading continues behind the damage.
 */
export async function* readLines(
  path: string,
  { places, from = START, onDamage }: LineOptions = {},
): AsyncGenerator<Line> {
  let { number, place } = from;
  place -= 1;
  let next = 0;
  const pending = new PendingLine();
  const take = (whole: boolean): Line | undefined => {
    number += 1;
    if (pending.isBlank) {
      pending.clear();
      return undefined;
    }
    place += 1;
    const isWanted = places === undefined || places[next] === place;
    const line = isWanted ? { ...pending.content(), number, whole } : undefined;
    pending.clear();
    if (isWanted) next += 1;
    return line;
  };
  for await (const part of readText(path, from.offset)) {
    if (!Buffer.isBuffer(part)) {
      if (!pending.isBlank) {
        const line = take(false);
        if (line !== undefined) yield line;
      }
      onDamage?.(part, number + 1);
      continue;
    }
    let start = 0;
    for (let end = part.indexOf(LINE_FEED); end >= 0; end = part.indexOf(LINE_FEED, start)) {
      pending.add(part.subarray(start, end));
      start = end + 1;
      const line = take(true);
      if (line === undefined) continue;
      yield line;
      if (next === places?.length) return;
    }
    pending.add(part.subarray(start));
  }
  const last = pending.isBlank ? undefined : take(false);
  if (last !== undefined) yield last;
}

/** Returns the text of a line. */
export function textOf(line: Buffer): string {
  return line.toString('utf8').replace(BYTE_ORDER_MARK, '');
}

/** The line that is being read. */
class PendingLine {
  #parts: Buffer[] = [];
  #length = 0;
  #zeros = 0;
  #isTooLong = false;

  /** Adds bytes of the line, which are no longer changed. */
  add(bytes: Buffer): void {
    const text = this.#length === 0 ? this.#withoutZeros(bytes) : bytes;
    if (text.length === 0) return;
    this.#length += text.length;
    if (this.#length > LINE_MAX && !this.#isTooLong) {
      this.#isTooLong = true;
      this.#parts = [Buffer.concat([...this.#parts, text], LONG_SHOWN)];
    }
    if (!this.#isTooLong) this.#parts.push(text);
  }

  get isBlank(): boolean {
    return this.#zeros === 0 && this.#parts.every(isBlank);
  }

  content(): Pick<Line, 'text' | 'isTooLong' | 'zeros'> {
    const [first, ...others] = this.#parts;
    const bytes = first === undefined || others.length > 0 ? Buffer.concat(this.#parts) : first;
    return { text: textOf(bytes), isTooLong: this.#isTooLong, zeros: this.#zeros };
  }

  clear(): void {
    if (this.#length === 0 && this.#zeros === 0) return;
    this.#parts = [];
    this.#length = 0;
    this.#zeros = 0;
    this.#isTooLong = false;
  }

  #withoutZeros(bytes: Buffer): Buffer {
    if (bytes[0] !== 0) return bytes;
    let at = 1;
    while (bytes[at] === 0) at += 1;
    this.#zeros += at;
    return bytes.subarray(at);
  }
}

/** Matches a line of nothing but JSON's white space. */
function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes)
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d && byte !== 0x0b && byte !== 0x0c)
      return false;
  return true;
}
