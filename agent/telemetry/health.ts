import type { Source } from './readings.ts';

/**
 * A drain that has work and takes no turn for this long needs a restart; its pauses are much
 * shorter.
 */
const STALLED_MS = 60_000;

/** The answer to a probe, in the format of the IETF's draft for health checks of HTTP APIs. */
export interface Report {
  readonly status: 'pass' | 'fail';
  readonly checks: Readonly<Record<string, Check>>;
}

interface Check {
  readonly status: 'pass' | 'fail';
  readonly reason: string;
}

/** Knows whether the agent is alive and ready, and why. The export has no influence on either. */
export class Health {
  readonly #now: () => number;
  #source: Source | undefined;
  #hook: Check = failing('the hook is not armed yet');
  #journal: Check = failing('the journal is not open yet');
  /** The number of turns, and when the drain last took a turn, or had nothing that it could do. */
  #turns = 0;
  #since = 0;

  /** `now` is in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Notes that the hook is armed and the journal is open. */
  begin(source: Source): void {
    this.#source = source;
    this.#since = this.#now();
    this.#hook = passing('armed');
    this.#journal = passing('writable');
  }

  /** Notes that the journal cannot be written or, with undefined, that it can be written again. */
  noteJournal(problem: Error | undefined): void {
    this.#journal = problem === undefined ? passing('writable') : failing(problem.message);
  }

  /** Notes that the hook would not outlive the agent or, with undefined, that it would again. */
  noteHook(problem: Error | undefined): void {
    this.#hook = problem === undefined ? passing('armed') : failing(problem.message);
  }

  /** Notes that the agent is stopping. */
  end(): void {
    this.#source = undefined;
    this.#hook = failing('the agent is ending');
  }

  get isJournalWritable(): boolean {
    return this.#journal.status === 'pass';
  }

  /**
   * Fails only for a state that a restart cures, unlike a full or stalled disk or an unavailable
   * collector.
   */
  live(): Report {
    return reportOf({ drain: this.#drain() });
  }

  ready(): Report {
    return reportOf({ hook: this.#hook, journal: this.#journal });
  }

  #drain(): Check {
    const drain = this.#source?.drain();
    if (drain === undefined) return passing('not recording');
    const isIdle = drain.isWriting || !drain.isDue;
    if (isIdle || drain.turns !== this.#turns) {
      this.#turns = drain.turns;
      this.#since = this.#now();
    }
    if (drain.isWriting) return passing('waiting for the disk');
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
