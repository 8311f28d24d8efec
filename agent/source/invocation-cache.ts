import type { ExecContext, Invocation } from '../../record/types.ts';
import type { EventView } from './event-view.ts';
import { execEvent } from './layout.ts';

const SLOTS = 2048;
/** Longer events, in words, are not looked for: 10 KiB. */
const WORDS_MAX = 2560;
/** The bytes that one invocation may take, and all of them, with what is made of them. */
const BYTES_MAX = 128 << 10;
const KEPT_BYTES_MAX = 8 << 20;
/** A character takes up to two bytes itself, and up to six in the lines of records. */
const BYTES_PER_CHARACTER = 8;
/** the characters whose bytes one more argument takes */
const ARGUMENT_LENGTH = 8;
/** the word of an event, from the flags on, that says where the environment is */
const ENVIRONMENT = (execEvent.environment - execEvent.flags) >> 2;
const FNV_OFFSET = 0x811c9dc5 | 0;
const FNV_PRIME = 0x01000193;
const MIX = 0x85ebca6b;

interface Slot {
  readonly words: Uint32Array;
  readonly invocation: Invocation;
  readonly bytes: number;
}

/** Invocations by the bytes of their events. */
export interface InvocationCache {
  /**
   * Returns the invocation of an event, and reads it unless it is known; `length` is that of the event
   * before its environment, which is no part of it.
   */
  invocation(offset: number, length: number): Invocation;
  /** Forgets the invocations in contexts that are over. */
  forget(isOver: (context: ExecContext) => boolean): void;
}

/**
 * Makes a cache of invocations, so that a recurring invocation is read once. It keeps an invocation
 * from the second time on: commands that never recur take no room.
 */
export function createInvocationCache(
  { words }: EventView,
  read: (offset: number) => Omit<Invocation, 'recurring'>,
): InvocationCache {
  const slots = new Array<Slot | undefined>(SLOTS).fill(undefined);
  let kept = 0;
  const seen = new Int32Array(SLOTS);

  function invocationAt(offset: number, length: number): Invocation {
    const from = (offset + execEvent.flags) >> 2;
    const to = (offset + length + 3) >> 2;
    if (to - from > WORDS_MAX) return { ...read(offset), recurring: false };
    const environment = from + ENVIRONMENT;
    const hash = hashOf(words, environment + 1, to, hashOf(words, from, environment, FNV_OFFSET));
    const at = hash & (SLOTS - 1);
    const slot = slots[at];
    if (slot !== undefined && equal(slot.words, words, from, to)) return slot.invocation;
    if (seen[at] !== hash) {
      seen[at] = hash;
      return { ...read(offset), recurring: false };
    }
    const invocation = { ...read(offset), recurring: true };
    const bytes = bytesOf(to - from, invocation);
    if (bytes > BYTES_MAX) return { ...invocation, recurring: false };
    kept += bytes - (slot?.bytes ?? 0);
    if (kept > KEPT_BYTES_MAX) {
      slots.fill(undefined);
      kept = bytes;
    }
    slots[at] = { words: words.slice(from, to), invocation, bytes };
    return invocation;
  }

  function forget(isOver: (context: ExecContext) => boolean): void {
    for (const [at, slot] of slots.entries()) {
      if (slot === undefined || !isOver(slot.invocation.context)) continue;
      kept -= slot.bytes;
      slots[at] = undefined;
    }
  }

  return { invocation: invocationAt, forget };
}

/** The most that an invocation takes, with its event and its part of the lines. */
function bytesOf(
  words: number,
  { object, workingDirectory, executable, args }: Invocation,
): number {
  let length = object.length + workingDirectory.length + executable.path.length;
  for (const arg of args ?? []) length += arg.length + ARGUMENT_LENGTH;
  return words * Uint32Array.BYTES_PER_ELEMENT + length * BYTES_PER_CHARACTER;
}

/**
 * FNV-1a, by words, from a hash of what is before them. A multiplication waits for the one before it,
 * so that four of them are on their way at a time.
 */
function hashOf(words: Uint32Array, from: number, to: number, before: number): number {
  let a = before;
  let b = FNV_OFFSET;
  let c = FNV_OFFSET;
  let d = FNV_OFFSET;
  let i = from;
  for (; i + 4 <= to; i += 4) {
    a = Math.imul(a ^ (words[i] as number), FNV_PRIME);
    b = Math.imul(b ^ (words[i + 1] as number), FNV_PRIME);
    c = Math.imul(c ^ (words[i + 2] as number), FNV_PRIME);
    d = Math.imul(d ^ (words[i + 3] as number), FNV_PRIME);
  }
  for (; i < to; i++) a = Math.imul(a ^ (words[i] as number), FNV_PRIME);
  let hash = a;
  hash = Math.imul(hash ^ b, FNV_PRIME);
  hash = Math.imul(hash ^ c, FNV_PRIME);
  hash = Math.imul(hash ^ d, FNV_PRIME);
  hash = Math.imul(hash ^ (hash >>> 16), MIX);
  return hash ^ (hash >>> 15);
}

function equal(kept: Uint32Array, words: Uint32Array, from: number, to: number): boolean {
  if (kept.length !== to - from) return false;
  for (let i = 0; i < kept.length; i++)
    if (kept[i] !== words[from + i] && i !== ENVIRONMENT) return false;
  return true;
}
