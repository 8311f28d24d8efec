import type { Seeded } from '../../support/scripted/seeded.ts';

/** What a step of a life does: a change of files, a sync, or something outside of the disk. */
export type Kind =
  | 'create'
  | 'write'
  | 'overwrite'
  | 'sync'
  | 'truncate'
  | 'rename'
  | 'unlink'
  | 'other';

/** Thrown to code of an agent that is dead. */
export class Killed extends Error {}

/** Steps in which the disk fails. */
export interface FaultWindow {
  readonly from: number;
  readonly to: number;
  readonly error: 'ENOSPC' | 'EIO';
  /** how many of 100 calls fail */
  readonly percent: number;
  /** Only writes fail: the storage of one file is bad. */
  readonly onlyLines: boolean;
}

/** How one life of the agent is to go. */
export interface Plan {
  /** the step before which it is killed; undefined: it is not killed */
  readonly killAt: number | undefined;
  /** It is killed in the first write from then on. */
  readonly inWrite: boolean;
  readonly faults: readonly FaultWindow[];
  /** how many of 100 writes are short ones */
  readonly shortPercent: number;
}

const FAILING_SHORT_PERCENT = 50;
const TAKES_ROOM = new Set<Kind>(['create', 'write']);

/** One life of the agent: its steps are counted, and some of them fail, or are the last. */
export class Life {
  steps = 0;
  isAlive = true;
  readonly #plan: Plan;
  readonly #seeded: Seeded;

  constructor(plan: Plan, seeded: Seeded) {
    this.#plan = plan;
    this.#seeded = seeded;
  }

  /** Begins a step. Throws Killed if it is not done any more, or the error with which it fails. */
  step(kind: Kind): void {
    this.#begin(kind);
    this.#fail(kind);
  }

  /** Begins a write; returns how many of its bytes are written. If that is fewer, it may be the end. */
  stepOfWrite(bytes: number): number {
    if (!this.isAlive) throw new Killed();
    try {
      this.#begin('write');
    } catch {
      // A killed process may have written a part.
      return this.#seeded.below(bytes);
    }
    this.#fail('write');
    // A disk that fails takes a part of the bytes first.
    const percent = this.#window === undefined ? this.#plan.shortPercent : FAILING_SHORT_PERCENT;
    const isShort = bytes > 1 && this.#seeded.percent(percent);
    return isShort ? 1 + this.#seeded.below(bytes - 1) : bytes;
  }

  /** Ends it. */
  kill(): void {
    this.isAlive = false;
  }

  get #window(): FaultWindow | undefined {
    return this.#plan.faults.find(({ from, to }) => from <= this.steps && this.steps <= to);
  }

  #begin(kind: Kind): void {
    if (!this.isAlive) throw new Killed();
    this.steps += 1;
    const { killAt = Number.POSITIVE_INFINITY, inWrite } = this.#plan;
    if (this.steps < killAt || (inWrite && kind !== 'write')) return;
    this.kill();
    throw new Killed();
  }

  #fail(kind: Kind): void {
    const window = this.#window;
    if (window === undefined || kind === 'other') return;
    if (window.onlyLines && kind !== 'write') return;
    if (window.error === 'ENOSPC' && !TAKES_ROOM.has(kind)) return;
    if (!this.#seeded.percent(window.percent)) return;
    throw Object.assign(new Error(`${window.error}: simulated, ${kind}`), { code: window.error });
  }
}
