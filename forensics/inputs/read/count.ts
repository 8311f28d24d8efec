import { closeSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { LineMark } from './lines.ts';
import { readText } from './text.ts';

/** What is in a file, counted without reading any record. */
export interface LineCount {
  /** lines that are not blank */
  readonly lines: number;
  /** the beginning of every MARK_LINES-th line that is not blank; none of a compressed file */
  readonly marks: readonly LineMark[];
  readonly content: Content;
}

/** By which a file is known again: the text that was counted, or a compressed file as it is, which is less. */
export interface Content {
  readonly of: 'text' | 'file';
  readonly bytes: number;
  readonly crc: number;
}

/** What else reads the text that is counted. */
interface Reader {
  add(chunk: Buffer): void;
  /** Ends a line without a line feed. */
  end(): void;
}

/** How many lines apart marks are. */
export const MARK_LINES = 1024;
/** Small enough for the processor's cache: the bytes are read once. */
const CHUNK_BYTES = 256 << 10;
/** Others have a turn after so many chunks. */
const TURN_CHUNKS = 64;
const LINE_FEED = 0x0a;
const BRACE = 0x7b;

/**
 * Counts the lines in the first `size` bytes of a file that is not compressed. It is a second and
 * simpler reading, by which every command checks that DuckDB has read each line.
 */
export async function countLines(
  path: string,
  size: number,
  reader: Reader | undefined,
): Promise<LineCount> {
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  const counter = new LineCounter('text');
  const fd = openSync(path, 'r');
  let offset = 0;
  try {
    for (let chunks = 1; ; chunks += 1) {
      const length = readSync(fd, buffer, 0, Math.min(CHUNK_BYTES, size - offset), offset);
      if (length === 0) break;
      counter.add(buffer.subarray(0, length));
      reader?.add(buffer.subarray(0, length));
      offset += length;
      if (chunks % TURN_CHUNKS === 0) await turn();
    }
  } finally {
    closeSync(fd);
  }
  reader?.end();
  return counter.end();
}

/** Counts the lines of a compressed file. A damage ends a line. */
export async function countCompressedLines(
  path: string,
  reader: Reader | undefined,
): Promise<LineCount> {
  const counter = new LineCounter(await contentOfFile(path));
  for await (const part of readText(path)) {
    if (Buffer.isBuffer(part)) {
      counter.add(part);
      reader?.add(part);
    } else {
      counter.end();
      reader?.end();
    }
  }
  reader?.end();
  return { ...counter.end(), marks: [] };
}

/**
 * Returns what a file is known by as a whole. Whoever reads it must ask before: what is changed afterwards is
 * noticed then.
 */
export async function contentOfFile(path: string): Promise<Content> {
  let [bytes, crc] = [0, 0];
  const file = await open(path);
  try {
    const piece = Buffer.allocUnsafe(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(piece, 0, CHUNK_BYTES, bytes);
      if (bytesRead === 0) return { of: 'file', bytes, crc };
      crc = crc32(piece.subarray(0, bytesRead), crc);
      bytes += bytesRead;
    }
  } finally {
    await file.close();
  }
}

/** Whether a file is the same, or begins with the text that was counted, in whatever form it is now. */
export async function hasContent(path: string, { of, bytes, crc }: Content): Promise<boolean> {
  if (of === 'file') {
    const now = await contentOfFile(path);
    return now.bytes === bytes && now.crc === crc;
  }
  let left = bytes;
  let found = 0;
  for await (const part of readText(path)) {
    if (!Buffer.isBuffer(part)) return false;
    const text = part.subarray(0, left);
    found = crc32(text, found);
    left -= text.length;
    if (left === 0) break;
  }
  return left === 0 && found === crc;
}

/** Counts the lines of a text that comes in parts. */
export class LineCounter {
  readonly #marks: LineMark[] = [];
  #lines = 0;
  #number = 0;
  #offset = 0;
  #lineStart = 0;
  #isBlankSoFar = true;
  readonly #content: Content | undefined;
  #crc = 0;

  /** What the file is known by, unless that is its text. */
  constructor(content: Content | 'text') {
    this.#content = content === 'text' ? undefined : content;
  }

  add(chunk: Buffer): void {
    if (this.#content === undefined) this.#crc = crc32(chunk, this.#crc);
    let start = 0;
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, start)) {
      if (this.#isBlankSoFar) this.#isBlankSoFar = isBlank(chunk, start, at);
      start = at + 1;
      this.#endLine(this.#offset + start);
    }
    if (this.#isBlankSoFar) this.#isBlankSoFar = isBlank(chunk, start, chunk.length);
    this.#offset += chunk.length;
  }

  /** Ends a line without a line feed, and returns what was counted. */
  end(): LineCount {
    if (this.#offset > this.#lineStart) this.#endLine(this.#offset);
    const text: Content = { of: 'text', bytes: this.#offset, crc: this.#crc };
    return { lines: this.#lines, marks: this.#marks, content: this.#content ?? text };
  }

  #endLine(next: number): void {
    if (!this.#isBlankSoFar) {
      if (this.#lines % MARK_LINES === 0)
        this.#marks.push({ offset: this.#lineStart, number: this.#number, place: this.#lines });
      this.#lines += 1;
    }
    this.#number += 1;
    this.#lineStart = next;
    this.#isBlankSoFar = true;
  }
}

/** Returns whether these bytes are nothing but white space. */
export function isBlank(bytes: Buffer, from: number, to: number): boolean {
  if (bytes[from] === BRACE && from < to) return false;
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x09 && (byte === undefined || byte < 0x0b || byte > 0x0d))
      return false;
  }
  return true;
}
