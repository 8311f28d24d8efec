/** A source of chance that a seed determines: the same seed gives the same numbers. */
export interface Seeded {
  /** Returns an integer from 0 to below `bound`. */
  below(bound: number): number;
  /** Returns true in so many of 100 cases. */
  percent(chance: number): boolean;
  /** Returns one of some values. */
  among<T>(values: readonly T[]): T;
}

/** Creates a source of chance (mulberry32). */
export function createSeeded(seed: number): Seeded {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (bound: number) => Math.floor(next() * bound);
  return {
    below,
    percent: (chance) => below(100) < chance,
    among(values) {
      if (values.length === 0) throw new Error('there is nothing to choose from');
      return values[below(values.length)] as (typeof values)[number];
    },
  };
}
