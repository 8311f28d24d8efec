import { type IdSet, idSetOf } from './id-set.ts';
import { LineHead } from './line-head.ts';
import { NO_RESOURCE, NOT_LISTED, Resources } from './resources.ts';
import type { FrameContent, FramePlace, IndexedFrame, SegmentIndex } from './segment-index.ts';

const LINE_FEED = 0x0a;
const ROOM_FIRST = 4096;
const BILLION = 1_000_000_000n;

/** Makes the index of a segment from its lines, in little time beside that of the compression. */
export class IndexBuilder {
  readonly #head = new LineHead();
  readonly #resources = new Resources();
  readonly #frames: IndexedFrame[] = [];
  readonly #ids = new Beginnings();
  readonly #parents = new Beginnings();
  #inFrame = new Set<number>();
  #lastResource: number | undefined;
  #textBytes = 0;
  #lines = 0;
  #isOurs = true;
  #firstHigh = Number.POSITIVE_INFINITY;
  #firstLow = 0;
  #lastHigh = 0;
  #lastLow = 0;

  /** Takes lines of the frame, which are whole unless they are the last ones. */
  add(lines: Buffer): void {
    const view = new DataView(lines.buffer, lines.byteOffset, lines.byteLength);
    let from = 0;
    for (let end = lines.indexOf(LINE_FEED); end >= 0; end = lines.indexOf(LINE_FEED, from)) {
      this.#lines += 1;
      if (this.#head.read(lines, view, from, end)) this.#take(lines, end);
      else this.#isOurs = false;
      from = end + 1;
    }
    // A power cut leaves zeros in place of what was written.
    if (from < lines.length || lines.includes(0)) this.#isOurs = false;
    this.#textBytes += lines.length;
  }

  /** Ends the frame, which is now at this place. */
  endFrame(place: FramePlace): void {
    this.#frames.push({ ...place, ...this.#content() });
    this.#inFrame = new Set();
    this.#lastResource = undefined;
    this.#textBytes = 0;
    this.#lines = 0;
    this.#isOurs = true;
    this.#firstHigh = Number.POSITIVE_INFINITY;
    this.#firstLow = 0;
    this.#lastHigh = 0;
    this.#lastLow = 0;
  }

  get index(): SegmentIndex {
    return { resources: this.#resources.texts, frames: this.#frames };
  }

  #take(lines: Buffer, end: number): void {
    const { id, parentAt, parent, resourceAt, timeHigh, timeLow } = this.#head;
    this.#ids.add(id);
    if (parentAt >= 0) this.#parents.add(parent);
    const resource = this.#resources.numberAt(lines, resourceAt, end);
    if (resource === NO_RESOURCE) this.#isOurs = false;
    else if (resource !== this.#lastResource) this.#inFrame.add(resource);
    this.#lastResource = resource;
    if (timeHigh < this.#firstHigh || (timeHigh === this.#firstHigh && timeLow < this.#firstLow)) {
      this.#firstHigh = timeHigh;
      this.#firstLow = timeLow;
    }
    if (timeHigh > this.#lastHigh || (timeHigh === this.#lastHigh && timeLow > this.#lastLow)) {
      this.#lastHigh = timeHigh;
      this.#lastLow = timeLow;
    }
  }

  #content(): FrameContent {
    const isEmpty = this.#firstHigh === Number.POSITIVE_INFINITY;
    return {
      textBytes: this.#textBytes,
      lines: this.#lines,
      isOurs: this.#isOurs,
      first: isEmpty ? 0n : nanoseconds(this.#firstHigh, this.#firstLow),
      last: nanoseconds(this.#lastHigh, this.#lastLow),
      ids: this.#ids.end(),
      parents: this.#parents.end(),
      resources: this.#inFrame.has(NOT_LISTED) ? undefined : [...this.#inFrame],
    };
  }
}

function nanoseconds(high: number, low: number): bigint {
  return BigInt(high) * BILLION + BigInt(low);
}

/** Collects beginnings of ids. */
class Beginnings {
  #values = new Uint32Array(ROOM_FIRST);
  #count = 0;

  add(value: number): void {
    if (this.#count === this.#values.length) {
      const larger = new Uint32Array(2 * this.#count);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#count] = value;
    this.#count += 1;
  }

  end(): IdSet {
    const set = idSetOf(this.#values.subarray(0, this.#count));
    this.#count = 0;
    return set;
  }
}
