import { type Segment, segmentBytes, segmentFile } from './segment.ts';

/** Measures closed segments, each file once: they do not change any more. */
export class ClosedSizes {
  readonly #dir: string;
  #known: ReadonlyMap<string, number> = new Map();

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Returns the bytes of each segment; 0 if it is deleted by now. */
  async of(segments: readonly Segment[]): Promise<number[]> {
    const sizes = new Map<string, number>();
    for (const segment of segments) {
      const file = segmentFile(this.#dir, segment);
      sizes.set(file, this.#known.get(file) ?? (await segmentBytes(this.#dir, segment)));
    }
    this.#known = sizes;
    return [...sizes.values()];
  }
}
