import { type IdSet, idSetOf } from './id-set.ts';
import { NO_RESOURCE, NOT_LISTED } from './resources.ts';
import type { FrameContent } from './segment-index.ts';

const ROOM_FIRST = 4096;
const BILLION = 1_000_000_000n;

/** What an index needs to know of a record: see LineHead. */
export interface RecordHead {
  readonly id: number;
  /** -1: there is no cause */
  readonly parent: number;
  readonly timeHigh: number;
  readonly timeLow: number;
  readonly isExec: boolean;
}

/** Collects what is in a frame, line by line. */
export class FrameCollector {
  readonly #ids = new Beginnings();
  readonly #parents = new Beginnings();
  #resources = new Set<number>();
  #lastResource: number | undefined;
  #isOurs = true;
  #onlyExecs = true;
  #firstHigh = Number.POSITIVE_INFINITY;
  #firstLow = 0;
  #lastHigh = 0;
  #lastLow = 0;

  /** Adds a record with the number of its resource. */
  add({ id, parent, timeHigh, timeLow, isExec }: RecordHead, resource: number): void {
    this.#ids.add(id);
    if (parent >= 0) this.#parents.add(parent);
    if (resource === NO_RESOURCE) this.#isOurs = false;
    else if (resource !== this.#lastResource) this.#resources.add(resource);
    this.#lastResource = resource;
    if (!isExec) this.#onlyExecs = false;
    if (timeHigh < this.#firstHigh || (timeHigh === this.#firstHigh && timeLow < this.#firstLow)) {
      this.#firstHigh = timeHigh;
      this.#firstLow = timeLow;
    }
    if (timeHigh > this.#lastHigh || (timeHigh === this.#lastHigh && timeLow > this.#lastLow)) {
      this.#lastHigh = timeHigh;
      this.#lastLow = timeLow;
    }
  }

  /** Notes that there is something else than a line of the agent. */
  addOther(): void {
    this.#isOurs = false;
  }

  /** Ends the frame, whose text has so many bytes and line feeds, and begins the next one. */
  end(textBytes: number, lines: number): FrameContent {
    const isEmpty = this.#firstHigh === Number.POSITIVE_INFINITY;
    const content = {
      textBytes,
      lines,
      isOurs: this.#isOurs,
      onlyExecs: this.#onlyExecs,
      first: isEmpty ? 0n : nanoseconds(this.#firstHigh, this.#firstLow),
      last: nanoseconds(this.#lastHigh, this.#lastLow),
      ids: this.#ids.end(),
      parents: this.#parents.end(),
      resources: this.#resources.has(NOT_LISTED) ? undefined : [...this.#resources],
    };
    this.#resources = new Set();
    this.#lastResource = undefined;
    this.#isOurs = true;
    this.#onlyExecs = true;
    this.#firstHigh = Number.POSITIVE_INFINITY;
    this.#firstLow = 0;
    this.#lastHigh = 0;
    this.#lastLow = 0;
    return content;
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
