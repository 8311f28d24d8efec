import { listSegments, type Segment, segmentBytes } from '../segment.ts';

/** A closed segment, and the bytes that it takes with its index. */
interface ClosedSegment extends Segment {
  readonly bytes: number;
}

/** With so few segments, the folder is listed for every look. */
const FEW = 64;
const LISTED_EVERY_MS = 600_000;

/**
 * Knows the closed segments of a journal. Those of 100 GB are 50,000 files, whose list takes longer than the
 * records of a quiet minute; so a long list is kept, and compared with the folder now and then: others may
 * remove segments, too.
 */
export class ClosedSegments {
  readonly #dir: string;
  readonly #now: () => number;
  #segments: ClosedSegment[] = [];
  #bytes = 0;
  #listedAt = Number.NEGATIVE_INFINITY;
  /** the segment that is being written */
  #open: number;

  /** `now` returns milliseconds; `open` is the segment that is being written. */
  constructor(dir: string, now: () => number, open: number) {
    this.#dir = dir;
    this.#now = now;
    this.#open = open;
  }

  /** the oldest first */
  get all(): readonly Segment[] {
    return this.#segments;
  }

  /** What all of them take on disk. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Lists the folder if that costs little, or was not done for ten minutes. */
  async look(): Promise<void> {
    const now = this.#now();
    if (this.#segments.length > FEW && now - this.#listedAt < LISTED_EVERY_MS) return;
    const known = new Map(this.#segments.map((one) => [one.number, one]));
    const found: ClosedSegment[] = [];
    for (const segment of await listSegments(this.#dir)) {
      if (segment.number >= this.#open) continue;
      const same = known.get(segment.number);
      const isSame = same?.compressed === segment.compressed;
      const bytes = isSame ? same.bytes : await segmentBytes(this.#dir, segment);
      found.push({ ...segment, bytes });
    }
    for (const segment of this.#segments.slice(known.size)) {
      // It was closed meanwhile, and may be among those that were listed.
      if (segment.number > (found.at(-1)?.number ?? 0)) found.push(segment);
    }
    this.#segments = found;
    this.#bytes = found.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#listedAt = now;
  }

  /** Notes that the open segment is closed with so many bytes, and `open` follows it. */
  close(bytes: number, open: number): void {
    this.#segments.push({ number: this.#open, compressed: false, bytes });
    this.#bytes += bytes;
    this.#open = open;
  }

  /** Measures a segment again, because it was compressed or is gone. */
  async measure(number: number): Promise<void> {
    const compressed = { number, compressed: true };
    const bytes = await segmentBytes(this.#dir, compressed);
    const at = this.#segments.findLastIndex((one) => one.number === number);
    const before = this.#segments[at];
    if (before === undefined) return;
    this.#segments[at] = { ...compressed, bytes };
    this.#bytes += bytes - before.bytes;
  }

  /** Forgets a segment, because it is deleted. */
  forget(number: number): void {
    const at = this.#segments.findIndex((one) => one.number === number);
    const [gone] = at < 0 ? [] : this.#segments.splice(at, 1);
    this.#bytes -= gone?.bytes ?? 0;
  }
}
