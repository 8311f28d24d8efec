import type { ExportedJournal, JournalText, Position } from './position.ts';
import type { RecentLines } from './recent-lines.ts';

const LINE_FEED = 0x0a;
const NOTHING = Buffer.alloc(0);

/** A line without its line feed, as a part of a buffer. */
export interface Line {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
}

export interface JournalReaderOptions {
  readonly recent: RecentLines;
  readonly readText: ExportedJournal['readText'];
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
  #segment: number;
  #offset: number;
  /** lines at hand, from memory or from the disk */
  #chunk: Buffer = NOTHING;
  #at = 0;
  #disk: AsyncIterator<JournalText> | undefined;
  /** Whether #disk is behind the end of the journal. */
  #isBeyond = false;
  #isBehind = false;
  /** the number of pushes at the last fill() */
  #seen = 0;

  constructor(options: JournalReaderOptions, { segment, offset }: Position) {
    this.#options = options;
    this.#segment = segment;
    this.#offset = offset;
  }

  /** The position before the next line, in the segment of that line if one is at hand. */
  get position(): Position {
    return { segment: this.#segment, offset: this.#offset };
  }

  /** Whether the lines at hand were read back from the disk. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /**
   * The number of bytes of the next line in the journal, with its line feed; 0: no line is at hand.
   */
  get nextBytes(): number {
    if (this.#at === this.#chunk.length) return 0;
    return this.#chunk.indexOf(LINE_FEED, this.#at) + 1 - this.#at;
  }

  /**
   * Takes the next line, which has this many bytes; it is valid until the next fill().
   */
  take(bytes: number): Line {
    this.#offset += bytes;
    this.#at += bytes;
    return { bytes: this.#chunk, from: this.#at - bytes, to: this.#at - 1 };
  }

  /** Gets more lines when none is at hand; returns false if the journal has no more lines now. */
  async fill(): Promise<boolean> {
    const { recent } = this.#options;
    this.#seen = recent.pushes;
    this.#chunk = NOTHING;
    this.#at = 0;
    const chunk = recent.take(this.position);
    this.#isBehind = chunk === undefined;
    if (chunk === undefined) return this.#readDisk();
    await this.close();
    const { segment, from, bytes } = chunk;
    if (segment !== this.#segment) this.#offset = from;
    this.#segment = segment;
    this.#chunk = bytes;
    this.#at = this.#offset - from;
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
    this.#segment += 1;
    this.#offset = 0;
  }

  /** Closes the file that is being read. */
  async close(): Promise<void> {
    const disk = this.#disk;
    this.#disk = undefined;
    this.#isBeyond = false;
    await disk?.return?.();
  }

  async #readDisk(): Promise<boolean> {
    const { recent, readText, oldest, onSkipped } = this.#options;
    // What it has read ahead may be of a write that failed. Until now, its last text was in use.
    const isEnd = recent.isEnd(this.position);
    if (isEnd || this.#isBeyond) await this.close();
    if (isEnd) return false;
    const isResumed = this.#disk === undefined;
    this.#disk ??= readText(this.position);
    const next = await this.#next(this.#disk);
    if (next === undefined) return false;
    const { segment } = next;
    // Segments are numbered without a gap: a missing one was deleted before it was read. When
    // reading starts again within a segment, the rest of that one may have been deleted, too.
    const isLost = isResumed && ((await oldest())?.segment ?? 0) > this.#segment;
    if (segment > this.#segment + 1 || (isLost && segment > this.#segment))
      onSkipped(this.position, { segment, offset: 0 });
    this.#segment = segment;
    this.#offset = next.offset - next.text.length;
    this.#chunk = next.text;
    return true;
  }

  /** Returns the next text, up to the end of the journal; undefined: there is none now. */
  async #next(disk: AsyncIterator<JournalText>): Promise<JournalText | undefined> {
    const { recent } = this.#options;
    let next: IteratorResult<JournalText, unknown>;
    try {
      next = await disk.next();
    } catch (error) {
      this.#disk = undefined;
      throw error;
    }
    if (next.done === true) {
      this.#disk = undefined;
      return undefined;
    }
    const { text, segment, offset } = next.value;
    if (!recent.isBeyond(next.value)) return next.value;
    // A write that failed can leave lines, which are cut off before the next one.
    this.#isBeyond = true;
    const { end } = recent;
    const length = segment === end.segment ? text.length - (offset - end.offset) : 0;
    if (length <= 0) return undefined;
    return { text: text.subarray(0, length), segment, offset: end.offset };
  }
}
