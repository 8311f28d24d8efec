import { isSame, type Position } from './position.ts';

/** Whole lines as they were appended to one segment, at these offsets. */
export interface Chunk {
  readonly segment: number;
  readonly from: number;
  readonly to: number;
  readonly bytes: Buffer;
}

/** The lines that were written last and are not exported yet, so that nothing has to be read back. */
export class RecentLines {
  readonly #maxBytes: number;
  readonly #chunks: Chunk[] = [];
  /** Where the first chunk follows. */
  #from: Position;
  #end: Position;
  #bytes = 0;
  #pushes = 0;
  #wake = (): void => {};

  /** `end` is the journal's; of what comes behind it, at most the latest `maxBytes` are kept. */
  constructor(end: Position, maxBytes: number) {
    this.#from = end;
    this.#end = end;
    this.#maxBytes = maxBytes;
  }

  /** Behind the last line that was written. */
  get end(): Position {
    return this.#end;
  }

  /** How often lines were pushed. */
  get pushes(): number {
    return this.#pushes;
  }

  /** Takes a copy of lines that are in the journal now, up to `end`. */
  push(lines: Buffer, length: number, { segment, offset }: Position): void {
    const bytes = Buffer.from(lines.subarray(0, length));
    this.#chunks.push({ segment, from: offset - length, to: offset, bytes });
    this.#bytes += length;
    this.#pushes += 1;
    this.#end = { segment, offset };
    while (this.#bytes > this.#maxBytes) this.#drop();
    this.#wake();
  }

  /** The chunk in which a position is, and forgets it and what is before; undefined: not kept. */
  take(position: Position): Chunk | undefined {
    for (let chunk = this.#chunks[0]; chunk !== undefined; chunk = this.#chunks[0]) {
      const follows = isSame(this.#from, position);
      if (!follows && isBefore(position, chunk)) return undefined;
      this.#drop();
      if (follows || (chunk.segment === position.segment && position.offset < chunk.to))
        return chunk;
    }
    return undefined;
  }

  /** There is nothing behind this position. */
  isEnd(position: Position): boolean {
    return isSame(this.#end, position);
  }

  /** Waits until there were more pushes than `seen`, until `signal`, or, where given, for so long. */
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

  #drop(): void {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return;
    this.#bytes -= chunk.bytes.length;
    this.#from = { segment: chunk.segment, offset: chunk.to };
  }
}

function isBefore(position: Position, { segment, from }: Chunk): boolean {
  return position.segment < segment || (position.segment === segment && position.offset < from);
}
