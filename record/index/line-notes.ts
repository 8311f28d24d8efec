import type { CausalRecord } from '../types.ts';
import { digits, TIME_AT, TIME_DIGITS, TIME_HIGH_DIGITS } from './line-head.ts';

const ROOM_FIRST = 1024;

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
    const isExec = record.action === 'exec';
    const parent = isExec ? record.parentCause : null;
    this.lengths[at] = to - from;
    this.ids[at] = beginOf(record.id);
    this.parents[at] = parent === null ? -1 : beginOf(parent);
    this.timesHigh[at] = digits(bytes, time, middle);
    this.timesLow[at] = digits(bytes, middle, time + TIME_DIGITS);
    this.execs[at] = isExec ? 1 : 0;
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

/** Returns the first 32 bits of an id. */
function beginOf(id: string): number {
  let high = 0;
  let low = 0;
  for (let at = 0; at < 4; at++) high = (high << 4) | nibble(id.charCodeAt(at));
  for (let at = 4; at < 8; at++) low = (low << 4) | nibble(id.charCodeAt(at));
  return high * 0x10000 + low;
}

/** Returns the value of a hexadecimal digit. */
function nibble(code: number): number {
  return code < 0x3a ? code - 0x30 : code - 0x57;
}

function larger<T extends Uint8Array | Uint32Array | Float64Array>(array: T): T {
  const grown = new (array.constructor as new (length: number) => T)(2 * array.length);
  grown.set(array);
  return grown;
}
