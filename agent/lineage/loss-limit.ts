import type { Losses } from './losses.ts';

/** What the kernel side knows about causes. */
export interface KnownCauses {
  /** The last number of each CPU that was assigned to an exec. */
  numbers(): readonly number[];
  /**
   * Pairs of CPU and number, one after the other: the records that caused the processes that there
   * are. Undefined: processes began meanwhile, and some of them may be missing.
   */
  causes(): Float64Array | undefined;
}

/** What the kernel side knew at one moment. */
interface Known {
  /** By CPU: the table of causes has seen all execs below this number. */
  readonly before: readonly number[];
  readonly causes: Float64Array;
  /** By CPU: events with higher numbers have causes that are in the table, or newer ones. */
  readonly until: readonly number[];
}

/** From this number of ranges on, some are forgotten. */
const RANGES_MAX = 2000;
/** If there are so many nevertheless, half of them are joined. */
const HARD_MAX = 4000;

/**
 * Keeps the list of losses short: it forgets the ranges to which no exec can refer any more.
 *
 * The kernel side finds the cause of an exec in the table of causes. A number comes into the table
 * with its own exec, and then only by copies: at each fork, from the parent to the child. So a
 * number that the table does not have, and whose exec is over, never comes back. Only events that
 * left their process before the table was read can still refer to it, and lineage must see them
 * first.
 *
 * While processes fork all the time, the table cannot be read as it is at one moment, and many lost causes
 * may be alive. So that the list stays short also then, ranges are joined: nobody knows any more whether
 * the record of a cause among them is lost.
 */
export class LossLimit {
  readonly #losses: Losses;
  /** The next expected number of each CPU. */
  readonly #nextSeq: Float64Array;
  readonly #kernel: KnownCauses;
  readonly #max: number;
  readonly #hardMax: number;
  #limit: number;
  #known: Known | undefined;

  constructor(
    losses: Losses,
    nextSeq: Float64Array,
    kernel: KnownCauses,
    { max = RANGES_MAX, hardMax = HARD_MAX } = {},
  ) {
    this.#losses = losses;
    this.#nextSeq = nextSeq;
    this.#kernel = kernel;
    this.#max = max;
    this.#hardMax = hardMax;
    this.#limit = max;
  }

  /** Takes the next step if there are too many ranges. Call it now and then. */
  look(): void {
    this.#forget();
    if (this.#losses.count > this.#hardMax) this.#losses.shorten(this.#hardMax / 2);
  }

  #forget(): void {
    if (this.#losses.count <= this.#limit) return;
    this.#known ??= this.#read();
    if (this.#known === undefined || !this.#hasSeen(this.#known.until)) return;
    this.#losses.forget(this.#known.before, this.#known.causes);
    this.#known = undefined;
    // As long as many causes are alive, the table is not read at every step.
    this.#limit = Math.min(Math.max(this.#max, 2 * this.#losses.count), this.#hardMax);
  }

  /** In this order: a number is assigned before the table and the ring have its exec. */
  #read(): Known | undefined {
    const before = this.#kernel.numbers();
    const causes = this.#kernel.causes();
    return causes && { before, causes, until: this.#kernel.numbers() };
  }

  #hasSeen(until: readonly number[]): boolean {
    return until.every((last, cpu) => (this.#nextSeq[cpu] ?? 1) > last);
  }
}
