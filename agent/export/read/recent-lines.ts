import { isSame, type Position } from './position.ts';

/**
 * Larger buffers are used again: the kernel maps each page of a new one, which costs more than
 * copying.
 */
const REUSED_MIN = 64 << 10;
/** The number of buffers that wait to be used again. */
const SPARE_MAX = 4;
const LINE_FEED = 0x0a;

/** Whole lines that were appended to one segment, at these offsets. */
export interface Chunk {
  readonly segment: number;
  readonly from: number;
  readonly to: number;
  readonly bytes: Buffer;
  /** the buffer that begins with these bytes */
  readonly memory: Buffer;
}

/** A line with its line feed, and where it begins. */
export interface NewestLine {
  readonly bytes: Buffer;
  readonly start: Position;
}

/**
 * Keeps the lines that were written last and are not exported yet, so that they need not be read
 * back.
 */
export class RecentLines {
  readonly #maxBytes: number;
  readonly #chunks: Chunk[] = [];
  /** the chunk that was taken last */
  #taken: Chunk | undefined;
  readonly #spare: Buffer[] = [];
  /** the position before the first chunk */
  #from: Position;
  #end: Position;
  /** where lines begin that must not leave the node yet, and until when, the first of them first */
  readonly #held: { readonly start: Position; readonly settled: Promise<void> }[] = [];
  #newest: NewestLine | undefined;
  #bytes = 0;
  #pushes = 0;
  #wake = (): void => {};

  /**
   * `end` is the end of the journal; of the lines that follow it, at most the latest `maxBytes` are
   * kept.
   */
  constructor(end: Position, maxBytes: number) {
    this.#from = end;
    this.#end = end;
    this.#maxBytes = maxBytes;
  }

  /** The position after the last line that may be exported. */
  get end(): Position {
    return this.#held[0]?.start ?? this.#end;
  }

  /** The last line that was pushed and may be exported, also if it is taken; undefined: there is none yet. */
  get newest(): NewestLine | undefined {
    return this.#newest;
  }

  /** The number of times that lines were pushed. */
  get pushes(): number {
    return this.#pushes;
  }

  /**
   * Copies lines that are in the journal now, up to `end`. Until `settled` resolves, they must not leave
   * the node, nor what follows them.
   */
  push(
    lines: Buffer,
    length: number,
    { segment, offset }: Position,
    settled?: Promise<void>,
  ): void {
    if (settled !== undefined) this.#hold({ segment, offset: offset - length }, settled);
    const memory = this.#memory(length);
    lines.copy(memory, 0, 0, length);
    const bytes = memory.subarray(0, length);
    this.#chunks.push({ segment, from: offset - length, to: offset, bytes, memory });
    this.#bytes += length;
    this.#pushes += 1;
    this.#end = { segment, offset };
    if (settled === undefined) {
      const from = bytes.lastIndexOf(LINE_FEED, -2) + 1;
      const start = { segment, offset: offset - length + from };
      this.#newest = { bytes: Buffer.from(bytes.subarray(from)), start };
    }
    while (this.#bytes > this.#maxBytes) this.#release(this.#drop());
    this.#wake();
  }

  /**
   * Returns the chunk that contains a position, and drops it and the chunks before it; undefined:
   * the lines are not kept. The chunk is valid until the next call.
   */
  take(position: Position): Chunk | undefined {
    this.#release(this.#taken);
    this.#taken = undefined;
    if (this.isEnd(position)) return undefined;
    for (let chunk = this.#chunks[0]; chunk !== undefined; chunk = this.#chunks[0]) {
      const follows = isSame(this.#from, position);
      if (!follows && isBefore(position, chunk)) return undefined;
      this.#drop();
      if (follows || (chunk.segment === position.segment && position.offset < chunk.to)) {
        this.#taken = chunk;
        return chunk;
      }
      this.#release(chunk);
    }
    return undefined;
  }

  /** Resolves when all lines that were pushed may be exported. */
  async settled(): Promise<void> {
    for (let [first] = this.#held; first !== undefined; [first] = this.#held) await first.settled;
  }

  /** Says whether no line at all follows this position. */
  isWritten(position: Position): boolean {
    return isSame(this.#end, position);
  }

  /** Says whether no line that may be exported follows this position. */
  isEnd(position: Position): boolean {
    return isSame(this.end, position);
  }

  /** Says whether this position is behind the last line that may be exported. */
  isBeyond({ segment, offset }: Position): boolean {
    const { end } = this;
    return segment > end.segment || (segment === end.segment && offset > end.offset);
  }

  /**
   * Waits until there were more pushes than `seen`, until `signal` is aborted, and at most `ms`, if
   * given.
   */
  async news(seen: number, signal: AbortSignal, ms?: number): Promise<void> {
    if (signal.aborted || this.#pushes !== seen) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      signal.addEventListener('abort', this.#ring);
      if (ms !== undefined) timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
    signal.removeEventListener('abort', this.#ring);
    this.#wake = () => {};
  }

  readonly #ring = (): void => this.#wake();

  #hold(start: Position, settled: Promise<void>): void {
    const one = { start, settled };
    this.#held.push(one);
    void settled.finally(() => {
      this.#held.splice(this.#held.indexOf(one), 1);
      this.#pushes += 1;
      this.#wake();
    });
  }

  #drop(): Chunk | undefined {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return undefined;
    this.#bytes -= chunk.bytes.length;
    this.#from = { segment: chunk.segment, offset: chunk.to };
    return chunk;
  }

  /**
   * Returns a buffer of at least this length and less than twice the length, because many may wait.
   */
  #memory(length: number): Buffer {
    if (length < REUSED_MIN) return Buffer.allocUnsafeSlow(length);
    const size = 2 ** Math.ceil(Math.log2(length));
    const index = this.#spare.findIndex((memory) => memory.length === size);
    return this.#spare.splice(index, index < 0 ? 0 : 1)[0] ?? Buffer.allocUnsafeSlow(size);
  }

  #release(chunk: Chunk | undefined): void {
    if (chunk === undefined || chunk.memory.length < REUSED_MIN) return;
    if (this.#spare.length >= SPARE_MAX) this.#spare.shift();
    this.#spare.push(chunk.memory);
  }
}

function isBefore(position: Position, { segment, from }: Chunk): boolean {
  return position.segment < segment || (position.segment === segment && position.offset < from);
}
