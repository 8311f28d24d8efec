import type { Source } from './readings.ts';

/** A drain that should turn and does not for so long needs a restart; far more than any pause of it. */
const STALLED_MS = 60_000;

/** The answer to a probe; as in the IETF's draft for health checks of HTTP APIs. */
export interface Report {
  readonly status: 'pass' | 'fail';
  readonly checks: Readonly<Record<string, Check>>;
}

interface Check {
  readonly status: 'pass' | 'fail';
  readonly reason: string;
}

/** Whether the agent is alive and ready, and why. What becomes of exported records is no part of it. */
export class Health {
  readonly #now: () => number;
  #source: Source | undefined;
  #hook: Check = failing('the hook is not armed yet');
  #journal: Check = failing('the journal is not open yet');
  /** How far the drain was when it was last seen to turn, or to have nothing to do. */
  #turns = 0;
  #since = 0;

  /** `now` is in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** The hook is armed, the journal open. */
  begin(source: Source): void {
    this.#source = source;
    this.#since = this.#now();
    this.#hook = passing('armed');
    this.#journal = passing('writable');
  }

  /** The journal cannot be written, or (undefined) can be again. */
  noteJournal(problem: Error | undefined): void {
    this.#journal = problem === undefined ? passing('writable') : failing(problem.message);
  }

  /** The agent ends in an orderly way. */
  end(): void {
    this.#source = undefined;
    this.#hook = failing('the agent is ending');
  }

  get isJournalWritable(): boolean {
    return this.#journal.status === 'pass';
  }

  /** Fails only for what a restart would cure: a full disk or a collector that is down is not that. */
  live(): Report {
    return reportOf({ drain: this.#drain() });
  }

  ready(): Report {
    return reportOf({ hook: this.#hook, journal: this.#journal });
  }

  #drain(): Check {
    const drain = this.#source?.drain();
    if (drain === undefined) return passing('not recording');
    if (!drain.isDue || drain.turns !== this.#turns) {
      this.#turns = drain.turns;
      this.#since = this.#now();
    }
    if (!drain.isDue) return passing('asleep, nothing to drain');
    const stalledMs = this.#now() - this.#since;
    if (stalledMs < STALLED_MS) return passing('turning');
    return failing(`has not turned for ${Math.round(stalledMs / 1000)} s, though there is work`);
  }
}

function reportOf(checks: Report['checks']): Report {
  const failed = Object.values(checks).some(({ status }) => status === 'fail');
  return { status: failed ? 'fail' : 'pass', checks };
}

function passing(reason: string): Check {
  return { status: 'pass', reason };
}

function failing(reason: string): Check {
  return { status: 'fail', reason };
}
