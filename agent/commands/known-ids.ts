import { mayHaveId } from '../../record/index/id-search.ts';
import { type IdSet, valuesOf } from '../../record/index/id-set.ts';

const ID_BITS = 32;
/** More bits of an id are not compared: a map has 2^BITS_MAX bits, and there is one for each number. */
const BITS_MAX = 22;
const DIGITS = 8;

/** Whether a set of an index may have an id that begins with a text. */
export function mayBeIn(set: IdSet, begin: string): boolean {
  const values = valuesIn(set);
  return values === undefined || mayHaveId(values, set.bits, begin);
}

/** Ids, so that little time tells whether a set of an index may have one of them. */
export class KnownIds {
  readonly #ids = new Set<string>();
  /** by the number of bits: which beginnings of so many bits the ids have */
  readonly #beginnings = new Map<number, Uint8Array>();

  get size(): number {
    return this.#ids.size;
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  add(id: string): void {
    this.#ids.add(id);
    for (const [bits, beginnings] of this.#beginnings) note(beginnings, bits, id);
  }

  mayMeet(set: IdSet): boolean {
    const values = valuesIn(set);
    if (values === undefined) return true;
    const bits = Math.min(set.bits, BITS_MAX);
    const beginnings = this.#beginningsOf(bits);
    return values.some((value) => {
      const begin = value >>> (set.bits - bits);
      return ((beginnings[begin >>> 3] ?? 0) & (1 << (begin & 7))) !== 0;
    });
  }

  #beginningsOf(bits: number): Uint8Array {
    const known = this.#beginnings.get(bits);
    if (known !== undefined) return known;
    const beginnings = new Uint8Array(Math.ceil(2 ** bits / 8));
    for (const id of this.#ids) note(beginnings, bits, id);
    this.#beginnings.set(bits, beginnings);
    return beginnings;
  }
}

/** Undefined: the set is damaged, and may have any id. */
function valuesIn(set: IdSet): Uint32Array | undefined {
  try {
    return valuesOf(set);
  } catch {
    return undefined;
  }
}

/** An id of another form than the agent's is in no set. */
function note(beginnings: Uint8Array, bits: number, id: string): void {
  const value = Number.parseInt(id.slice(0, DIGITS), 16);
  if (Number.isNaN(value)) return;
  const begin = bits === 0 ? 0 : value >>> (ID_BITS - bits);
  beginnings[begin >>> 3] = (beginnings[begin >>> 3] ?? 0) | (1 << (begin & 7));
}
