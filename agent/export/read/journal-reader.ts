import type { ExportedJournal, JournalLine, Position } from './position.ts';
import type { RecentLines } from './recent-lines.ts';

const LINE_FEED = 0x0a;
/** The number of lines that are read from a file at once. */
const DISK_LINES = 32;
const NOTHING = Buffer.alloc(0);

/** A line without its line feed, as a part of a buffer. */
export interface Line {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
}

export interface JournalReaderOptions {
  readonly recent: RecentLines;
  readonly readLines: ExportedJournal['readLines'];
  /**
   * Returns the position before the first line that is not deleted; undefined: there is no line.
   */
  oldest(): Promise<Position | undefined>;
  /** Called with a range that was deleted before it was read. */
  onSkipped(from: Position, to: Position): void;
}

/**
 * Reads the journal behind its writer: lines from memory as long as they are there, otherwise from
 * the disk.
 */
export class JournalReader {
  readonly #options: JournalReaderOptions;
  /** the position before the next line */
  #position: Position;
  /** lines at hand, from memory */
  #chunk: Buffer = NOTHING;
  #at = 0;
  /** lines at hand, from the disk; the next one is the last */
  #lines: JournalLine[] = [];
  /** the bytes of the line that was taken last, if it is from the disk */
  #memory: Buffer = NOTHING;
  #disk: AsyncIterator<JournalLine> | undefined;
  #isBehind = false;
  /** the number of pushes at the last fill() */
  #seen = 0;

  constructor(options: JournalReaderOptions, from: Position) {
    this.#options = options;
    this.#position = from;
  }

  /** The position before the next line, in the segment of that line if one is at hand. */
  get position(): Position {
    const next = this.#lines.at(-1);
    return next !== undefined && next.segment > this.#position.segment
      ? { segment: next.segment, offset: 0 }
      : this.#position;
  }

  /** Whether the lines at hand were read back from the disk. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /**
   * The number of bytes of the next line in the journal, with its line feed; 0: no line is at hand.
   */
  get nextBytes(): number {
    if (this.#at < this.#chunk.length)
      return this.#chunk.indexOf(LINE_FEED, this.#at) + 1 - this.#at;
    const next = this.#lines.at(-1);
    if (next === undefined) return 0;
    return next.offset - (next.segment === this.#position.segment ? this.#position.offset : 0);
  }

  /**
   * Takes the next line, which has this many bytes; it is valid until the next take() or fill().
   */
  take(bytes: number): Line {
    const next = this.#lines.pop();
    if (next !== undefined) {
      this.#position = { segment: next.segment, offset: next.offset };
      // Each byte that is not UTF-8 was replaced by three.
      if (this.#memory.length < 3 * bytes) this.#memory = Buffer.allocUnsafeSlow(3 * bytes);
      const to = this.#memory.write(next.line);
      this.#memory[to] = LINE_FEED;
      return { bytes: this.#memory, from: 0, to };
    }
    const { segment, offset } = this.#position;
    this.#position = { segment, offset: offset + bytes };
    this.#at += bytes;
    return { bytes: this.#chunk, from: this.#at - bytes, to: this.#at - 1 };
  }

  /** Gets more lines when none is at hand; returns false if the journal has no more lines now. */
  async fill(): Promise<boolean> {
    const { recent } = this.#options;
    this.#seen = recent.pushes;
    const chunk = recent.take(this.#position);
    this.#isBehind = chunk === undefined;
    if (chunk === undefined) {
      this.#chunk = NOTHING;
      this.#lines = (await this.#readDisk()).reverse();
      return this.#lines.length > 0;
    }
    await this.close();
    const { segment, from, bytes } = chunk;
    const offset = segment === this.#position.segment ? this.#position.offset : from;
    this.#position = { segment, offset };
    this.#chunk = bytes;
    this.#at = offset - from;
    return true;
  }

  /**
   * Waits for more lines than fill() found, until `signal` is aborted, and at most `ms`, if given.
   */
  async wait(signal: AbortSignal, ms?: number): Promise<void> {
    await this.#options.recent.news(this.#seen, signal, ms);
  }

  /** Continues with the next segment, because this one cannot be read. */
  skipSegment(): void {
    this.#disk = undefined;
    this.#position = { segment: this.#position.segment + 1, offset: 0 };
  }

  /** Closes the file that is being read. */
  async close(): Promise<void> {
    const disk = this.#disk;
    this.#disk = undefined;
    await disk?.return?.();
  }

  async #readDisk(): Promise<JournalLine[]> {
    const { recent, readLines, oldest, onSkipped } = this.#options;
    const lines: JournalLine[] = [];
    if (recent.isEnd(this.#position)) return lines;
    let isResumed = this.#disk === undefined;
    this.#disk ??= readLines(this.#position);
    let { segment } = this.#position;
    try {
      while (lines.length < DISK_LINES) {
        const { value, done } = await this.#disk.next();
        if (done === true) {
          this.#disk = undefined;
          break;
        }
        // A write that failed can leave lines, which are cut off before the next one.
        if (recent.isBeyond(value)) {
          await this.close();
          break;
        }
        // Segments are numbered without a gap: a missing one was deleted before it was read. When
        // reading starts again within a segment, the rest of that one may have been deleted, too.
        const isLost = isResumed && ((await oldest())?.segment ?? 0) > segment;
        if (value.segment > segment + 1 || (isLost && value.segment > segment))
          onSkipped(lines.at(-1) ?? this.#position, { segment: value.segment, offset: 0 });
        isResumed = false;
        segment = value.segment;
        lines.push(value);
      }
    } catch (error) {
      this.#disk = undefined;
      // The lines before the error are returned; reading on from there raises the error again.
      if (lines.length === 0) throw error;
    }
    return lines;
  }
}
