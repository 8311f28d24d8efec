import { isBlank, type LineCount, LineCounter } from '../inputs/read/count.ts';
import { readSoundText } from '../inputs/read/text.ts';
import { type ExecColumns, ExecColumnsBuilder } from './exec-columns.ts';
import { ExecLineReader } from './exec-line-reader.ts';
import type { IndexCheck } from './index-check.ts';
import { checkedIndex } from './index-of-file.ts';
import { isOrdinary } from './ordinary.ts';

const LINE_FEED = 0x0a;
/** Files with more other lines than this are read by DuckDB alone. */
const OTHERS_BYTES = 4 << 20;
const OTHERS_SHARE = 0.1;
/** A longer line is none of ours. */
const LINE_MAX = 16 << 20;

/** A file, and up to which size it is read. */
export interface ToScan {
  readonly path: string;
  readonly size: number;
  /** Whether execs must break no rule of the audit. */
  readonly areOrdinary: boolean;
}

/** What one file has, in the order of its lines that are not blank. */
export interface ScannedFile {
  readonly columns: ExecColumns;
  /** the resources of the rows */
  readonly resources: readonly string[];
  /** the lines that DuckDB must read, and their rows */
  readonly others: Buffer;
  readonly otherRows: readonly number[];
  /** counted from the same bytes, and without reading any record */
  readonly count: LineCount;
  /** what is wrong with the index beside the file; undefined: nothing, or it was not looked at */
  readonly indexFault: string | undefined;
}

const line = new ExecLineReader();

/**
 * Reads a file up to `size` bytes of text. Undefined: it is not one of ours, or it is damaged, so
 * that DuckDB must read it.
 */
export async function scanFile({
  path,
  size,
  areOrdinary,
}: ToScan): Promise<ScannedFile | undefined> {
  const counter = new LineCounter();
  const index = areOrdinary ? await checkedIndex(path) : undefined;
  const lines = new Lines(areOrdinary, index?.check);
  let left = size;
  for await (const part of readSoundText(path)) {
    const text = part.length > left ? part.subarray(0, left) : part;
    left -= text.length;
    counter.add(text);
    if (!lines.add(text)) return undefined;
    release(part);
    if (left === 0) break;
  }
  const read = lines.end();
  return { ...read, indexFault: index?.fault ?? read.indexFault, count: counter.end() };
}

/**
 * Frees the memory of a part at once if nothing else can be in it: what reads the file fills a buffer from
 * its beginning to its end, and then takes another one. Left to the collector, the parts of 1.6 GB cost
 * as much as a tenth of the reading.
 */
function release({ buffer, byteOffset, byteLength }: Buffer): void {
  const isFull = byteOffset + byteLength === buffer.byteLength;
  if (isFull && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

class Lines {
  readonly #columns = new ExecColumnsBuilder();
  readonly #others: Buffer[] = [];
  readonly #otherRows: number[] = [];
  #otherBytes = 0;
  #bytes = 0;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  readonly #areOrdinary: boolean;
  readonly #check: IndexCheck | undefined;

  constructor(areOrdinary: boolean, check: IndexCheck | undefined) {
    this.#areOrdinary = areOrdinary;
    this.#check = check;
  }

  /** Returns false where reading in this way is of no use. */
  add(text: Buffer): boolean {
    let from = 0;
    let end = text.indexOf(LINE_FEED);
    if (end >= 0 && this.#pendingBytes > 0) {
      const whole = Buffer.concat([...this.#pending, text.subarray(0, end)]);
      this.#pending = [];
      this.#pendingBytes = 0;
      this.#take(whole, viewOf(whole), 0, whole.length);
      from = end + 1;
      end = text.indexOf(LINE_FEED, from);
    }
    const view = viewOf(text);
    for (; end >= 0; end = text.indexOf(LINE_FEED, from)) {
      this.#take(text, view, from, end);
      from = end + 1;
    }
    if (from < text.length) {
      this.#pending.push(Buffer.from(text.subarray(from)));
      this.#pendingBytes += text.length - from;
    }
    this.#bytes += text.length;
    const isOurs = this.#otherBytes < OTHERS_BYTES || this.#otherBytes < OTHERS_SHARE * this.#bytes;
    return isOurs && this.#pendingBytes < LINE_MAX;
  }

  end(): Omit<ScannedFile, 'count'> {
    const last = Buffer.concat(this.#pending);
    const indexFault = this.#check?.end(last.length);
    if (last.length > 0) this.#takeOther(last, 0, last.length);
    return {
      columns: this.#columns.end(),
      resources: this.#columns.resources,
      others: Buffer.concat(this.#others),
      otherRows: this.#otherRows,
      indexFault,
    };
  }

  #take(bytes: Buffer, view: DataView, from: number, to: number): void {
    const isRead = line.read(bytes, view, from, to);
    if (isRead) this.#check?.exec(line, to - from);
    else this.#check?.other(bytes.subarray(from, to));
    if (isRead && (!this.#areOrdinary || isOrdinary(line, bytes))) this.#columns.add(line);
    else this.#takeOther(bytes, from, to);
  }

  /** A blank line is no row, and DuckDB skips it, too. */
  #takeOther(bytes: Buffer, from: number, to: number): void {
    if (isBlank(bytes, from, to)) return;
    this.#otherRows.push(this.#columns.rows);
    this.#columns.skip();
    const copy = Buffer.allocUnsafe(to - from + 1);
    bytes.copy(copy, 0, from, to);
    copy[to - from] = LINE_FEED;
    this.#others.push(copy);
    this.#otherBytes += copy.length;
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
