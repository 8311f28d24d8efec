import type { SegmentFacts } from '../audit/checkpoints/segment-facts.ts';
import { SegmentReader } from '../audit/checkpoints/segment-reader.ts';
import { contentOfFile, isBlank, type LineCount, LineCounter } from '../inputs/read/count.ts';
import { readSoundText } from '../inputs/read/text.ts';
import { type ExecColumns, ExecColumnsBuilder } from './exec-columns.ts';
import { ExecScanner, FOUND } from './exec-scanner.ts';
import type { IndexCheck } from './index-check.ts';
import { checkedIndex } from './index-of-file.ts';
import { isRecordLine } from './refused-lines.ts';

const LINE_FEED = 0x0a;
/** Files with more other lines than this are read by DuckDB alone. */
const OTHERS_BYTES = 4 << 20;
const OTHERS_SHARE = 0.1;

/** A file, and up to which size it is read. */
export interface ToScan {
  readonly path: string;
  readonly size: number;
  readonly isPlain: boolean;
  /** Whether execs must break no rule of the audit. */
  readonly areOrdinary: boolean;
  /** Whether its checkpoints are read. */
  readonly isSegment: boolean;
}

/** What one file has, in the order of its lines that are not blank. */
export interface ScannedFile {
  readonly columns: ExecColumns;
  /** the resources of the rows */
  readonly resources: readonly string[];
  /** the lines that DuckDB must read, and their rows */
  readonly others: Buffer;
  readonly otherRows: readonly number[];
  /** the rows of lines that are no records */
  readonly refused: readonly number[];
  /** counted from the same text, and without reading any record */
  readonly count: LineCount;
  /** what is wrong with the index beside the file; undefined: nothing, or it was not looked at */
  readonly indexFault: string | undefined;
  /** what its checkpoints say; undefined: they were not read */
  readonly segmentFacts: SegmentFacts | undefined;
}

/** What the lines of a file have. */
type ReadLines = Omit<ScannedFile, 'count' | 'segmentFacts'>;

const scanner = new ExecScanner();

/**
 * Reads a file up to `size` bytes of text. Undefined: it is not one of ours, or it is damaged, so
 * that DuckDB must read it.
 */
export async function scanFile({
  path,
  size,
  isPlain,
  areOrdinary,
  isSegment,
}: ToScan): Promise<ScannedFile | undefined> {
  const counter = new LineCounter(isPlain ? 'text' : await contentOfFile(path));
  const index = areOrdinary ? await checkedIndex(path) : undefined;
  const lines = new Lines(areOrdinary, index?.check);
  const segment = isSegment ? new SegmentReader() : undefined;
  let left = size;
  for await (const part of readSoundText(path)) {
    const text = part.length > left ? part.subarray(0, left) : part;
    left -= text.length;
    counter.add(text);
    segment?.add(text);
    if (!lines.add(text)) return undefined;
    release(part);
    if (left === 0) break;
  }
  const read = lines.end();
  const indexFault = index?.fault ?? read.indexFault;
  return { ...read, indexFault, count: counter.end(), segmentFacts: segment?.end() };
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
  readonly #refused: number[] = [];
  #otherBytes = 0;
  #bytes = 0;
  readonly #check: IndexCheck | undefined;

  constructor(areOrdinary: boolean, check: IndexCheck | undefined) {
    this.#check = check;
    scanner.begin(areOrdinary);
  }

  /** Returns false where reading in this way is of no use. */
  add(text: Buffer): boolean {
    if (!scanner.write(text)) return false;
    for (let found: number = FOUND.batchIsFull; found !== FOUND.needsInput; ) {
      found = scanner.scan();
      this.#columns.add(scanner);
      this.#check?.execs(scanner);
      if (found !== FOUND.otherLine) continue;
      this.#check?.other(scanner.otherLine);
      this.#takeOther(scanner.otherLine);
    }
    this.#bytes += text.length;
    return this.#otherBytes < OTHERS_BYTES || this.#otherBytes < OTHERS_SHARE * this.#bytes;
  }

  end(): ReadLines {
    const { rest } = scanner;
    const indexFault = this.#check?.end(rest.length);
    if (rest.length > 0) this.#takeOther(rest);
    return {
      columns: this.#columns.end(),
      resources: scanner.resources,
      others: Buffer.concat(this.#others),
      otherRows: this.#otherRows,
      refused: this.#refused,
      indexFault,
    };
  }

  /** A blank line is no row, and DuckDB skips it, too. */
  #takeOther(line: Buffer): void {
    if (isBlank(line, 0, line.length)) return;
    this.#otherRows.push(this.#columns.rows);
    if (!isRecordLine(line)) this.#refused.push(this.#columns.rows);
    this.#columns.skip();
    const copy = Buffer.allocUnsafe(line.length + 1);
    line.copy(copy);
    copy[line.length] = LINE_FEED;
    this.#others.push(copy);
    this.#otherBytes += copy.length;
  }
}
