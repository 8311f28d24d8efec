/** A power of two. */
const SLOTS = 512;
/** Long ones would fill the memory. */
const BYTES_MAX = 4096;
const SAMPLES = 32;

interface Kept {
  readonly json: Uint8Array;
  readonly encoded: Uint8Array;
}

/**
 * What became of bytes that have been seen before: most of what a node executes, it has executed
 * already. It keeps what comes a second time, so that what comes only once costs little more.
 */
export class Memo {
  readonly #kept: (Kept | undefined)[] = new Array(SLOTS).fill(undefined);
  /** Hashes of what was not kept. */
  readonly #seen = new Int32Array(SLOTS);
  #slot = 0;

  /** What was kept of these bytes; undefined: nothing. */
  find(bytes: Buffer, from: number, to: number): Uint8Array | undefined {
    this.#slot = hashOf(bytes, from, to, SAMPLES) & (SLOTS - 1);
    const kept = this.#kept[this.#slot];
    if (kept === undefined || kept.json.length !== to - from) return undefined;
    return bytes.compare(kept.json, 0, kept.json.length, from, to) === 0 ? kept.encoded : undefined;
  }

  /** Tells what became of the bytes that find() was asked for last, and had nothing of. */
  add(bytes: Buffer, from: number, to: number, encoded: Uint8Array): void {
    const length = to - from;
    if (length > BYTES_MAX) return;
    const slot = this.#slot;
    const hash = hashOf(bytes, from, to, length);
    if (this.#seen[slot] === hash)
      this.#kept[slot] = {
        // Not a Buffer: a small one keeps all of the memory alive of which Node gave it a part.
        json: new Uint8Array(bytes.subarray(from, to)),
        encoded: Uint8Array.from(encoded),
      };
    this.#seen[slot] = hash;
  }
}

/** Of the length and so many of the bytes, the last one among them. */
function hashOf(bytes: Buffer, from: number, to: number, samples: number): number {
  let hash = to - from;
  const step = Math.max(1, Math.floor((to - from) / samples));
  for (let at = to - 1; at >= from; at -= step)
    hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  return hash;
}
