/** One id in 2^REST_BITS that is in no record seems to be in a set. */
const REST_BITS = 6;
const ID_BITS = 32;
/** So many bits of a distance are written at once. */
const ONES_MAX = 16;

/** Beginnings of ids, in as few bits as their number needs: it may contain more than it was given. */
export interface IdSet {
  /** how many different beginnings it has */
  readonly count: number;
  /** how many bits each has */
  readonly bits: number;
  /** the distances between them, in ascending order (Rice's code) */
  readonly coded: Buffer;
}

/** Makes a set of the first 32 bits of ids, which are sorted in place. */
export function idSetOf(ids: Uint32Array): IdSet {
  ids.sort();
  const bits = Math.min(ID_BITS, Math.ceil(Math.log2(differentIn(ids) + 1)) + REST_BITS);
  const writer = new BitWriter(5 * ids.length + 8);
  let [count, last] = [0, -1];
  for (let index = 0; index < ids.length; index++) {
    const value = (ids[index] as number) >>> (ID_BITS - bits);
    if (value === last) continue;
    const distance = value - last - 1;
    last = value;
    count += 1;
    // So many ones, a zero, and the rest.
    let ones = distance >>> REST_BITS;
    for (; ones > ONES_MAX; ones -= ONES_MAX) writer.write(2 ** ONES_MAX - 1, ONES_MAX);
    writer.write(2 * (2 ** ones - 1), ones + 1);
    writer.write(distance & (2 ** REST_BITS - 1), REST_BITS);
  }
  return { count, bits, coded: writer.end() };
}

function differentIn(sorted: Uint32Array): number {
  let count = 0;
  for (let at = 0; at < sorted.length; at++) if (sorted[at] !== sorted[at - 1]) count += 1;
  return count;
}

/** Returns the values of a set in ascending order, each with `bits` bits; throws if it is damaged. */
export function valuesOf({ count, bits, coded }: IdSet): Uint32Array {
  const values = new Uint32Array(count);
  const reader = new BitReader(coded);
  let last = -1;
  for (let index = 0; index < count; index++) {
    last += 1 + reader.ones() * 2 ** REST_BITS + reader.rest();
    values[index] = last;
  }
  if (reader.isBeyondEnd) throw new RangeError('a set of ids is cut off');
  if (last >= 2 ** bits) throw new RangeError('a set of ids has one that is too large');
  return values;
}

/** Reads bits; behind the last byte there are zeros. */
class BitReader {
  readonly #bytes: Buffer;
  #at = 0;
  /** the next bits, from the highest one on, and how many of them are read */
  #window = 0;
  #has = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Whether more was read than there is. */
  get isBeyondEnd(): boolean {
    return 8 * this.#at - this.#has > 8 * this.#bytes.length;
  }

  /** Reads ones up to a zero, and returns how many there are. */
  ones(): number {
    let count = 0;
    for (;;) {
      this.#fill();
      const ones = Math.min(Math.clz32(~this.#window), this.#has);
      count += ones;
      const isWhole = ones < this.#has;
      this.#skip(isWhole ? ones + 1 : ones);
      if (isWhole) return count;
    }
  }

  rest(): number {
    this.#fill();
    const rest = this.#window >>> (32 - REST_BITS);
    this.#skip(REST_BITS);
    return rest;
  }

  #skip(bits: number): void {
    // A shift by 32 bits would change nothing.
    this.#window = bits < 32 ? this.#window << bits : 0;
    this.#has -= bits;
  }

  #fill(): void {
    for (; this.#has <= 24; this.#has += 8) {
      this.#window |= (this.#bytes[this.#at] ?? 0) << (24 - this.#has);
      this.#at += 1;
    }
  }
}

class BitWriter {
  readonly #bytes: Buffer;
  #at = 0;
  #pending = 0;
  #pendingBits = 0;

  constructor(bytesMax: number) {
    this.#bytes = Buffer.allocUnsafe(bytesMax);
  }

  /** Writes at most 17 bits. */
  write(value: number, bits: number): void {
    this.#pending = (this.#pending << bits) | value;
    this.#pendingBits += bits;
    while (this.#pendingBits >= 8) {
      this.#pendingBits -= 8;
      this.#bytes[this.#at] = this.#pending >>> this.#pendingBits;
      this.#at += 1;
    }
  }

  end(): Buffer {
    if (this.#pendingBits > 0) this.write(0, 8 - this.#pendingBits);
    return Buffer.from(this.#bytes.subarray(0, this.#at));
  }
}
