import type { ExecContext, Invocation } from '../../record/types.ts';
import type { EventView } from './event-view.ts';
import { execEvent } from './layout.ts';

const SLOTS = 2048;
/** The sizes of one invocation and of all that are kept: 10 KiB and 4 MiB. */
const WORDS_MAX = 2560;
const KEPT_WORDS_MAX = 1 << 20;
const FNV_PRIME = 0x01000193;

interface Slot {
  readonly words: Uint32Array;
  readonly invocation: Invocation;
}

/** Invocations by the bytes of their events. */
export interface InvocationCache {
  /** Returns the invocation of an event, and reads it unless it is known. */
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
    const hash = hashOf(words, from, to);
    const at = hash & (SLOTS - 1);
    const slot = slots[at];
    if (slot !== undefined && equal(slot.words, words, from, to)) return slot.invocation;
    if (seen[at] !== hash) {
      seen[at] = hash;
      return { ...read(offset), recurring: false };
    }
    const invocation = { ...read(offset), recurring: true };
    kept += to - from - (slot?.words.length ?? 0);
    if (kept > KEPT_WORDS_MAX) {
      slots.fill(undefined);
      kept = to - from;
    }
    slots[at] = { words: words.slice(from, to), invocation };
    return invocation;
  }

  function forget(isOver: (context: ExecContext) => boolean): void {
    for (const [at, slot] of slots.entries()) {
      if (slot === undefined || !isOver(slot.invocation.context)) continue;
      kept -= slot.words.length;
      slots[at] = undefined;
    }
  }

  return { invocation: invocationAt, forget };
}

/** FNV-1a, by words. */
function hashOf(words: Uint32Array, from: number, to: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ (words[i] as number), FNV_PRIME);
  return hash ^ (hash >>> 15);
}

function equal(kept: Uint32Array, words: Uint32Array, from: number, to: number): boolean {
  if (kept.length !== to - from) return false;
  for (let i = 0; i < kept.length; i++) if (kept[i] !== words[from + i]) return false;
  return true;
}
