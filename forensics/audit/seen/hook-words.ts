import { dashed } from '../../../record/uuid.ts';

const HIGHEST_BIT = 0x80000000;

/** The boot and the hook of an exec, in words as DuckDB keeps a UUID and an integer of 64 bits. */
export class HookWords {
  readonly #boot: Int32Array;
  readonly #hook: Int32Array;

  /** Takes those of the row `at` of two columns. */
  constructor(boots: Int32Array, hooks: Int32Array, at: number) {
    this.#boot = boots.slice(4 * at, 4 * at + 4);
    this.#hook = hooks.slice(2 * at, 2 * at + 2);
  }

  /** Whether the row `at` of two columns has the same ones. */
  are(boots: Int32Array, hooks: Int32Array, at: number): boolean {
    for (let word = 0; word < 4; word++)
      if (this.#boot[word] !== boots[4 * at + word]) return false;
    return this.#hook[0] === hooks[2 * at] && this.#hook[1] === hooks[2 * at + 1];
  }

  /** `boot/hook` in text. */
  get key(): string {
    const [last = 0, third = 0, second = 0, first = 0] = this.#boot;
    const hex = [first ^ HIGHEST_BIT, second, third, last]
      .map((word) => (word >>> 0).toString(16).padStart(8, '0'))
      .join('');
    return `${dashed(hex)}/${new BigInt64Array(this.#hook.buffer)[0]}`;
  }
}
