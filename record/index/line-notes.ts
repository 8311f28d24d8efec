import type { CausalRecord } from '../types.ts';
import { digits, TIME_AT, TIME_DIGITS, TIME_HIGH_DIGITS } from './line-head.ts';

const ROOM_FIRST = 1024;
/** the digits of the first 32 bits of an id */
const ID_DIGITS = 8;

/**
 * What an index needs to know of lines that were just written, so that nobody must read them for it.
 * One entry of each array is one line.
 */
export class LineNotes {
  count = 0;
  /** with the line feed */
  lengths = new Uint32Array(ROOM_FIRST);
  /** see RecordHead */
  ids = new Uint32Array(ROOM_FIRST);
  parents = new Float64Array(ROOM_FIRST);
  timesHigh = new Float64Array(ROOM_FIRST);
  timesLow = new Uint32Array(ROOM_FIRST);
  execs = new Uint8Array(ROOM_FIRST);
  readonly resources: string[] = [];

  /** Notes the line of a record, which is between two positions. */
  add(record: CausalRecord, resource: string, bytes: Buffer, from: number, to: number): void {
    const at = this.count;
    if (at === this.ids.length) this.#grow();
    const time = from + TIME_AT;
    const middle = time + TIME_HIGH_DIGITS;
    this.lengths[at] = to - from;
    if (record.action === 'exec') {
      const { id, parentCause } = record;
      this.ids[at] = id.a;
      this.parents[at] = parentCause === null ? -1 : parentCause.a >>> 0;
      this.execs[at] = 1;
    } else {
      this.ids[at] = Number.parseInt(record.id.slice(0, ID_DIGITS), 16);
      this.parents[at] = -1;
      this.execs[at] = 0;
    }
    this.timesHigh[at] = digits(bytes, time, middle);
    this.timesLow[at] = digits(bytes, middle, time + TIME_DIGITS);
    this.resources[at] = resource;
    this.count = at + 1;
  }

  /** Forgets all lines. */
  clear(): void {
    this.count = 0;
    this.resources.length = 0;
  }

  #grow(): void {
    this.lengths = larger(this.lengths);
    this.ids = larger(this.ids);
    this.parents = larger(this.parents);
    this.timesHigh = larger(this.timesHigh);
    this.timesLow = larger(this.timesLow);
    this.execs = larger(this.execs);
  }
}

function larger<T extends Uint8Array | Uint32Array | Float64Array>(array: T): T {
  const grown = new (array.constructor as new (length: number) => T)(2 * array.length);
  grown.set(array);
  return grown;
}
