/** A parser, and a property that must hold for any input. */
export interface Target {
  readonly name: string;
  /** What must hold, in a sentence. */
  readonly property: string;
  /** Sound inputs, from which others are made. */
  readonly seeds: readonly (Buffer | string)[];
  /** Throws where the property does not hold. */
  check(input: Buffer): void | Promise<void>;
}
