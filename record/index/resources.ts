import { BEHIND_RESOURCE } from './line-head.ts';

/** A longer resource, one more than so many, or one that makes all too long, is not listed. */
export const RESOURCE_BYTES_MAX = 16 << 10;
export const RESOURCES_MAX = 4096;
export const ALL_BYTES_MAX = 4 << 20;
const SLOTS = 1024;
/** One slot has no more: somebody may choose names for that. */
const SLOT_MAX = 16;
const SAMPLED_BYTES = 320;
/** Between half and all of as many bytes are sampled. */
const SAMPLES = 32;
const BRACE = 0x7d;

/** The result for a resource that is too long, or one too many, also of those that look alike. */
export const NOT_LISTED = -1;
/** The result where there is none; the line is damaged. */
export const NO_RESOURCE = -2;

interface Known {
  readonly number: number;
  /** the resource, and what follows it in every line */
  readonly bytes: Buffer;
  readonly next: Known | undefined;
}

/** The different resources of lines, in the order in which they came. */
export class Resources {
  /** as they stand in the lines */
  readonly texts: string[] = [];
  readonly #known: (Known | undefined)[] = new Array(SLOTS).fill(undefined);
  #bytes = 0;

  /** Returns the number of the resource at a position of a line, or one of the other results. */
  numberAt(bytes: Buffer, from: number, to: number): number {
    const slot = slotOf(bytes, from, to);
    let count = 0;
    for (let known = this.#known[slot]; known !== undefined; known = known.next) {
      const end = from + known.bytes.length;
      if (end <= to && known.bytes.compare(bytes, from, end) === 0) return known.number;
      count += 1;
    }
    return count < SLOT_MAX ? this.#add(slot, bytes.subarray(from, to)) : NOT_LISTED;
  }

  #add(slot: number, rest: Buffer): number {
    const length = rest.indexOf(BEHIND_RESOURCE);
    const number = this.texts.length;
    if (length < 0 || !isJson(rest.toString('utf8', 0, length))) return NO_RESOURCE;
    if (length > RESOURCE_BYTES_MAX || number === RESOURCES_MAX) return NOT_LISTED;
    if (this.#bytes + length > ALL_BYTES_MAX) return NOT_LISTED;
    this.#bytes += length;
    const bytes = Buffer.from(rest.subarray(0, length + BEHIND_RESOURCE.length));
    this.texts.push(rest.toString('utf8', 0, length));
    this.#known[slot] = { number, bytes, next: this.#known[slot] };
    return number;
  }
}

/** Some of the bytes choose the slot, up to the first brace; the id of a container is among them. */
function slotOf(bytes: Buffer, from: number, to: number): number {
  let hash = 0;
  const end = Math.min(to, from + SAMPLED_BYTES, bytes.indexOf(BRACE, from));
  const step = Math.floor((end - from) / SAMPLES) + 1;
  for (let at = from; at < end; at += step)
    hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return (hash ^ (hash >>> 15)) & (SLOTS - 1);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
