import { isRecord } from '../../record/read.ts';
import { isBlank } from '../inputs/read/count.ts';
import { LINE_MAX, textOf } from '../inputs/read/lines.ts';
import { ExecScanner, FOUND } from './exec-scanner.ts';

const LINE_FEED = 0x0a;
/** Not much beside the room that a scanner has. */
const PIECE_BYTES = 1 << 20;

/**
 * Finds the lines of a text that are no records. DuckDB takes some of them for records, because it
 * knows more than JSON. Execs in the agent's form are records, which costs a million of them 0.7 s; the
 * few other lines are parsed.
 */
export class RefusedLines {
  /** places among lines that are not blank */
  readonly places: number[] = [];
  readonly #scanner = new ExecScanner();
  #place = 0;
  /** the beginning of a line that is too long for the scanner */
  #long: Buffer[] = [];

  constructor() {
    this.#scanner.begin(false);
  }

  /** Adds text, which may be changed afterwards. */
  add(text: Buffer): void {
    for (let at = 0; at < text.length; at += PIECE_BYTES)
      this.#add(text.subarray(at, at + PIECE_BYTES));
  }

  /** Ends a line without a line feed. */
  end(): void {
    this.#judge(Buffer.concat([...this.#long, this.#scanner.rest]));
    this.#long = [];
    this.#scanner.begin(false);
  }

  #add(piece: Buffer): void {
    const text = this.#long.length === 0 ? piece : this.#addLong(piece);
    if (!this.#scanner.write(text)) {
      this.#long.push(Buffer.from(this.#scanner.rest));
      this.#scanner.begin(false);
      this.#add(text);
      return;
    }
    for (let found: number = FOUND.batchIsFull; found !== FOUND.needsInput; ) {
      found = this.#scanner.scan();
      this.#place += this.#scanner.rows;
      if (found === FOUND.otherLine) this.#judge(this.#scanner.otherLine);
    }
  }

  /** Returns what is behind the long line. */
  #addLong(piece: Buffer): Buffer {
    const feed = piece.indexOf(LINE_FEED);
    this.#long.push(Buffer.from(feed < 0 ? piece : piece.subarray(0, feed)));
    if (feed < 0) return piece.subarray(piece.length);
    this.#judge(Buffer.concat(this.#long));
    this.#long = [];
    return piece.subarray(feed + 1);
  }

  #judge(line: Buffer): void {
    if (isBlank(line, 0, line.length)) return;
    if (!isRecordLine(line)) this.places.push(this.#place);
    this.#place += 1;
  }
}

/** Whether a line is a record. */
export function isRecordLine(line: Buffer): boolean {
  return line.length <= LINE_MAX && isRecord(textOf(line));
}
