import { setTimeout as pause } from 'node:timers/promises';
import { backoffMs } from './backoff.ts';
import type { Entry } from './batches.ts';
import type { Refusal } from './dead-letters.ts';
import type { ExportLog } from './log.ts';
import type { Failure, Outcome } from './outcome.ts';
import type { Statistics } from './statistics.ts';

/** A single record that is refused so often is refused for good; INVALID_ARGUMENT says it at once. */
const REFUSALS = 3;
/** After so many in a row it is not the records: the collector refuses everything. */
const REFUSED_IN_A_ROW = 10;
const REFUSED_PAUSE_MS = 30_000;
/** Whatever RetryInfo says, we ask again after this. */
const RETRY_AFTER_MAX_MS = 600_000;
const TELL_REJECTED_EVERY_MS = 60_000;

export interface DeliveryOptions {
  /** One call; with `renew` on a new connection. */
  send(entries: readonly Entry[], renew: boolean): Promise<Outcome>;
  /** Resolves when the line is on disk. */
  keepDeadLetter(line: string, refusal: Refusal): Promise<void>;
  readonly log: ExportLog;
  readonly statistics: Statistics;
  /** Once aborted, the next failure ends the delivery. */
  readonly ending: AbortSignal;
}

/** Why a delivery was given up: the export ends. */
export class Ended extends Error {}

/** Brings entries to the collector, however long that takes: tries again, splits, sets aside. */
export class Delivery {
  readonly #options: DeliveryOptions;
  /** Failures in a row that may pass, when they began, and what was told of them. */
  #failures = 0;
  #failingSince = 0;
  #told = '';
  #refusedInARow = 0;
  #rejectedToldAt = Number.NEGATIVE_INFINITY;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** Resolves when all are accepted or set aside; throws Ended. */
  async deliver(entries: readonly Entry[]): Promise<void> {
    const readable: Entry[] = [];
    for (const entry of entries) {
      if (entry.record !== undefined) readable.push(entry);
      else await this.#setAside(entry, { code: 'UNREADABLE', details: 'no line of the journal' });
    }
    if (readable.length > 0) await this.#deliver(readable);
  }

  async #deliver(entries: readonly Entry[]): Promise<void> {
    const { send, ending, statistics } = this.#options;
    for (let refusals = 0, renew = false; ; renew = true) {
      const outcome = await send(entries, renew);
      if (outcome.kind === 'accepted') return this.#accept(entries, outcome);
      const { kind, code } = outcome;
      statistics.failures.set(code, (statistics.failures.get(code) ?? 0) + 1);
      if (ending.aborted) throw new Ended();
      if (kind === 'transient' || kind === 'denied') await this.#wait(outcome);
      else if (entries.length > 1) return this.#split(entries);
      else if (++refusals >= REFUSALS || code === 'INVALID_ARGUMENT')
        return this.#refuse(entries[0] as Entry, outcome);
      else await this.#pause(backoffMs(refusals));
    }
  }

  #accept(entries: readonly Entry[], outcome: { rejected: number; message: string }): void {
    const { statistics, log } = this.#options;
    const { rejected, message } = outcome;
    statistics.exported += entries.length - rejected;
    statistics.rejected += rejected;
    statistics.succeededAt = Date.now();
    this.#refusedInARow = 0;
    if (this.#failures > 0)
      log.info(
        { failures: this.#failures, seconds: secondsSince(this.#failingSince) },
        'the collector takes records again',
      );
    this.#failures = 0;
    this.#told = '';
    if (rejected === 0 && message === '') return;
    if (performance.now() - this.#rejectedToldAt < TELL_REJECTED_EVERY_MS) return;
    this.#rejectedToldAt = performance.now();
    log.warn({ rejected, message, total: statistics.rejected }, 'the collector took a part only');
  }

  async #split(entries: readonly Entry[]): Promise<void> {
    this.#options.statistics.splits += 1;
    const half = Math.ceil(entries.length / 2);
    await this.#deliver(entries.slice(0, half));
    await this.#deliver(entries.slice(half));
  }

  async #refuse(entry: Entry, { code, details }: Failure): Promise<void> {
    await this.#setAside(entry, { code, details });
    this.#refusedInARow += 1;
    if (this.#refusedInARow < REFUSED_IN_A_ROW) return;
    if (this.#refusedInARow === REFUSED_IN_A_ROW)
      this.#options.log.error({ code, details }, 'the collector refuses every record');
    await this.#pause(REFUSED_PAUSE_MS);
  }

  async #setAside({ line }: Entry, refusal: Refusal): Promise<void> {
    const { keepDeadLetter, log, statistics } = this.#options;
    for (let failures = 1; ; failures++) {
      try {
        await keepDeadLetter(line, refusal);
        break;
      } catch (error) {
        const { message } = error as Error;
        if (failures === 1) log.error({ error: message }, 'a dead letter cannot be written');
        await this.#pause(backoffMs(failures));
      }
    }
    statistics.deadLetters += 1;
    const id = /^\{"id":"([^"]*)"/.exec(line)?.[1];
    log.error({ id, ...refusal }, 'a record is refused for good: it is in the dead-letter file');
  }

  /** Waits before the next attempt; tells once what it is that keeps records waiting. */
  async #wait(failure: Failure): Promise<void> {
    const { kind, code, details, retryAfterMs } = failure;
    if (this.#failures++ === 0) this.#failingSince = performance.now();
    const what = `${kind} ${code}`;
    if (this.#told !== what) {
      this.#told = what;
      if (kind === 'denied')
        this.#options.log.error(
          { code, details },
          'the collector denies the export; records wait in the journal',
        );
      else
        this.#options.log.warn(
          { code, details },
          'the collector takes nothing now; records wait in the journal',
        );
    }
    await this.#pause(Math.min(retryAfterMs ?? backoffMs(this.#failures), RETRY_AFTER_MAX_MS));
  }

  async #pause(ms: number): Promise<void> {
    try {
      await pause(ms, undefined, { signal: this.#options.ending });
    } catch {
      throw new Ended();
    }
  }
}

function secondsSince(time: number): number {
  return Math.round((performance.now() - time) / 1000);
}
