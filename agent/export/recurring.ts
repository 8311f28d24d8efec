import type { Attributes } from '@opentelemetry/api';
import type { Recurring } from './log-record.ts';
import { encodeAttributes } from './log-record-writer.ts';

const KEPT_MAX = 512;
/** A power of two. */
const SEEN = 1024;
const SAMPLES = 32;

/**
 * Reads attributes from the inside of a JSON object. What has been seen before is read and encoded no
 * more: most of what a node executes, it has executed already.
 */
export class RecurringReader {
  readonly #kept = new Map<string, Recurring>();
  /** Short hashes of what was seen, so that what comes only once costs nothing more. */
  readonly #seen = new Int32Array(SEEN);

  read(text: string): Recurring {
    const hash = hashOf(text);
    const slot = hash & (SEEN - 1);
    if (this.#seen[slot] !== hash) {
      this.#seen[slot] = hash;
      return { attributes: JSON.parse(`{${text}}`) };
    }
    const known = this.#kept.get(text);
    if (known !== undefined) return known;
    const attributes: Attributes = JSON.parse(`{${text}}`);
    const recurring = { attributes, encoded: encodeAttributes(attributes) };
    if (this.#kept.size >= KEPT_MAX) this.#kept.clear();
    // A copy: a part of a line would keep the whole line.
    this.#kept.set(Buffer.from(text).toString(), recurring);
    return recurring;
  }
}

/** Of a text's length and some of its characters; the last ones differ most. */
function hashOf(text: string): number {
  let hash = text.length;
  const step = Math.max(1, Math.floor(text.length / SAMPLES));
  for (let at = text.length - 1; at >= 0; at -= step)
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}
