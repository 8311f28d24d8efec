import { CopyFile } from '../inputs/copy-file.ts';
import { isBlank } from '../inputs/read/count.ts';

const LINE_FEED = 0x0a;

/** A copy of some lines of a source, in their order. */
export interface Kept {
  readonly file: string;
  /** the number that each line has in the source */
  readonly numbers: readonly number[];
  /** how many records the source has beside them */
  readonly left: number;
}

/** Writes a copy of some lines of a source. */
export class KeptLines {
  readonly #path: string;
  readonly #copy: CopyFile;
  readonly #numbers: number[] = [];
  #number = 0;
  #left = 0;
  /** bytes in the copy */
  bytes = 0;

  constructor(path: string) {
    this.#path = path;
    this.#copy = new CopyFile(path);
  }

  /** Leaves out lines that are all records. */
  skip(lines: number): void {
    this.#number += lines;
    this.#left += lines;
  }

  /**
   * Takes the lines of a frame's text, and keeps those that are wanted; the others are records. Throws
   * if they are not as many as the index says.
   */
  take(text: Buffer, lines: number, isWanted: (from: number, to: number) => boolean): void {
    let feeds = 0;
    for (let from = 0; from < text.length; ) {
      const feed = text.indexOf(LINE_FEED, from);
      const end = feed < 0 ? text.length : feed;
      if (feed >= 0) feeds += 1;
      this.#number += 1;
      if (!isWanted(from, end)) this.#left += 1;
      else if (!isBlank(text, from, end)) {
        this.#numbers.push(this.#number);
        // The text's memory is large.
        const line = Buffer.from(text.subarray(from, end + 1));
        this.#copy.write(line);
        this.bytes += line.length;
      }
      from = end + 1;
    }
    if (feeds !== lines) throw new Error('a frame has other lines than the index says');
  }

  end(): Kept {
    this.#copy.close();
    return { file: this.#path, numbers: this.#numbers, left: this.#left };
  }
}
