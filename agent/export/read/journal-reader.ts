import type { ExportedJournal, JournalLine, Position } from './position.ts';
import type { RecentLines } from './recent-lines.ts';

const LINE_FEED = 0x0a;
/** Lines that are read from a file at once. */
const DISK_LINES = 32;
const NOTHING = Buffer.alloc(0);

/** A line, without its line feed, where it lies. */
export interface Line {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
}

export interface JournalReaderOptions {
  readonly recent: RecentLines;
  readonly readLines: ExportedJournal['readLines'];
  /** before the first line that is not deleted by now */
  oldest(): Position | undefined;
  /** Called with a range that was deleted before it was read. */
  onSkipped(from: Position, to: Position): void;
}

/** The journal behind its writer: lines from memory as long as they are there, else from the disk. */
export class JournalReader {
  readonly #options: JournalReaderOptions;
  /** Before the next line. */
  #position: Position;
  /** Lines at hand from memory. */
  #chunk: Buffer = NOTHING;
  #at = 0;
  /** Lines at hand from the disk, the next one last. */
  #lines: JournalLine[] = [];
  #disk: AsyncIterator<JournalLine> | undefined;
  #isBehind = false;
  /** Pushes that there had been when the journal was looked at last. */
  #seen = 0;

  constructor(options: JournalReaderOptions, from: Position) {
    this.#options = options;
    this.#position = from;
  }

  /** Before the next line. */
  get position(): Position {
    return this.#position;
  }

  /** The lines at hand were read back from the disk. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Bytes of the next line in the journal, with its line feed; 0: none is at hand. */
  get nextBytes(): number {
    if (this.#at < this.#chunk.length)
      return this.#chunk.indexOf(LINE_FEED, this.#at) + 1 - this.#at;
    const next = this.#lines.at(-1);
    if (next === undefined) return 0;
    return next.offset - (next.segment === this.#position.segment ? this.#position.offset : 0);
  }

  /** Takes the next line, of so many bytes; it is valid until the next fill(). */
  take(bytes: number): Line {
    const next = this.#lines.pop();
    if (next !== undefined) {
      this.#position = { segment: next.segment, offset: next.offset };
      const line = Buffer.from(next.line);
      return { bytes: line, from: 0, to: line.length };
    }
    const { segment, offset } = this.#position;
    this.#position = { segment, offset: offset + bytes };
    this.#at += bytes;
    return { bytes: this.#chunk, from: this.#at - bytes, to: this.#at - 1 };
  }

  /** Gets lines to hand when there are none left; false when the journal has no more of them now. */
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

  /** Waits for more lines than fill() found, until `signal`, or, where given, for so long. */
  async wait(signal: AbortSignal, ms?: number): Promise<void> {
    await this.#options.recent.news(this.#seen, signal, ms);
  }

  /** Goes on with the next segment: this one cannot be read. */
  skipSegment(): void {
    const from = this.#position;
    this.#disk = undefined;
    this.#position = { segment: from.segment + 1, offset: 0 };
    this.#options.onSkipped(from, this.#position);
  }

  /** Lets go of the file that is being read. */
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
        // Segments are numbered without a gap: what is missing was deleted before we came to it; and
        // so was, perhaps, what the segment still had in which we take up the reading again.
        const isLost = isResumed && (oldest()?.segment ?? 0) > segment;
        if (value.segment > segment + 1 || (isLost && value.segment > segment))
          onSkipped(lines.at(-1) ?? this.#position, { segment: value.segment, offset: 0 });
        isResumed = false;
        segment = value.segment;
        lines.push(value);
      }
    } catch (error) {
      this.#disk = undefined;
      // What was read before it is not lost with it: going on there brings the error again.
      if (lines.length === 0) throw error;
    }
    return lines;
  }
}
