import type { ExportedJournal, Line, Position } from './position.ts';
import type { RecentLines } from './recent.ts';

/** Lines that are read from a file at once. */
const DISK_LINES = 512;

export interface TailOptions {
  readonly recent: RecentLines;
  readonly readLines: ExportedJournal['readLines'];
  /** Called with a range that was deleted before it was read. */
  onSkipped(from: Position, to: Position): void;
}

/** The journal behind its writer: lines from memory as long as they are there, else from the disk. */
export class Tail {
  readonly #options: TailOptions;
  /** Behind the last line that is at hand. */
  #position: Position;
  #lines: readonly Line[] = [];
  #next = 0;
  #disk: AsyncIterator<Line> | undefined;
  #isBehind = false;
  /** Pushes that there had been when the journal was looked at last. */
  #seen = 0;

  constructor(options: TailOptions, from: Position) {
    this.#options = options;
    this.#position = from;
  }

  /** The next line, if it is at hand. */
  get line(): Line | undefined {
    return this.#lines[this.#next];
  }

  /** The lines at hand were read back from the disk. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Goes on behind the next line. */
  advance(): void {
    this.#next += 1;
  }

  /** Gets lines to hand when there are none left; false when the journal has no more of them now. */
  async fill(): Promise<boolean> {
    const { recent } = this.#options;
    this.#seen = recent.pushes;
    const lines = recent.take(this.#position);
    this.#isBehind = lines === undefined;
    if (lines !== undefined) await this.#leaveDisk();
    this.#lines = lines ?? (await this.#readDisk());
    this.#position = this.#lines.at(-1) ?? this.#position;
    this.#next = 0;
    return this.#lines.length > 0;
  }

  /** Waits for more lines than fill() found, until `signal`, or, where given, for so long. */
  async wait(signal: AbortSignal, ms?: number): Promise<void> {
    await this.#options.recent.news(this.#seen, signal, ms);
  }

  /** Goes on with the next segment: this one cannot be read. */
  skipSegment(): void {
    this.#disk = undefined;
    this.#skipTo({ segment: this.#position.segment + 1, offset: 0 });
  }

  /** Lets go of the file that is being read. */
  async close(): Promise<void> {
    await this.#leaveDisk();
  }

  async #readDisk(): Promise<Line[]> {
    const lines: Line[] = [];
    if (this.#options.recent.isEnd(this.#position)) return lines;
    this.#disk ??= this.#options.readLines(this.#position);
    try {
      while (lines.length < DISK_LINES) {
        const { value, done } = await this.#disk.next();
        if (done === true) {
          this.#disk = undefined;
          break;
        }
        // Segments are numbered without a gap: what is missing was deleted before we came to it.
        if (value.segment > this.#position.segment + 1) this.#skipTo({ ...value, offset: 0 });
        this.#position = value;
        lines.push(value);
      }
    } catch (error) {
      this.#disk = undefined;
      // What was read before it is not lost with it: going on there brings the error again.
      if (lines.length === 0) throw error;
    }
    return lines;
  }

  #skipTo({ segment, offset }: Position): void {
    const from = this.#position;
    this.#position = { segment, offset };
    this.#options.onSkipped(from, this.#position);
  }

  async #leaveDisk(): Promise<void> {
    const disk = this.#disk;
    this.#disk = undefined;
    await disk?.return?.();
  }
}
