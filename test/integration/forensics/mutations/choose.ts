import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { JOURNALS, type JournalName, KINDS, type Kind } from './kinds.ts';

/** A change of one sound journal at one place. */
export interface Mutation {
  readonly kind: Kind;
  readonly journal: JournalName;
  /** The place, modulo the number of places where the kind is possible; and what else is by chance. */
  readonly position: number;
}

const SEED = 20_261_128;
const EACH = 7;

/** Chooses the mutations: so many of each kind, in journals and at positions that a seed gives. */
export function choose(): Mutation[] {
  const random = randomness(SEED);
  return (Object.keys(KINDS) as Kind[]).flatMap((kind) =>
    Array.from({ length: EACH }, () => ({
      kind,
      journal: JOURNALS[random(JOURNALS.length)] ?? JOURNALS[0],
      position: random(10_000),
    })),
  );
}

/** Returns the committed list, which was chosen before it was run. */
export function committed(): Mutation[] {
  const lines = readFileSync(join(import.meta.dirname, 'list.txt'), 'utf8')
    .trimEnd()
    .split('\n');
  return lines.map((line) => {
    const [kind, journal, position] = line.split(' ');
    return { kind: kind as Kind, journal: journal as JournalName, position: Number(position) };
  });
}

/** Returns numbers that are the same in each run (mulberry32). */
export function randomness(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
