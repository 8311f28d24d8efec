import { setTimeout as pause } from 'node:timers/promises';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { Log } from '../../log-events.ts';
import { JournalLogRecord } from '../encode/journal-log-record.ts';
import type { Statistics } from '../statistics.ts';
import { backoffMs } from './backoff.ts';
import type { Failure, Outcome } from './outcome.ts';

/** The longest wait, whatever RetryInfo requests. */
const RETRY_AFTER_MAX_MS = 600_000;
/** The least time between two lines of the log about the same problem. */
const LOG_EVERY_MS = 60_000;

export interface SenderOptions {
  /** Makes one call, with `renew` on a new connection. */
  send(records: ReadableLogRecord[], renew: boolean): Promise<Outcome>;
  readonly log: Log;
  readonly statistics: Statistics;
  /** Once aborted, the next failure ends the delivery. */
  readonly ending: AbortSignal;
}

/** Thrown when a delivery is given up, because the export ends. */
export class Ended extends Error {}

/** Sends records until the collector has judged them, however long it is away. */
export class Sender {
  /** A copy of the record that the collector accepted last; undefined: none yet. */
  accepted: ReadableLogRecord | undefined;
  readonly #options: SenderOptions;
  /** Failures in a row that are not the records' fault, when they began, and what was logged. */
  #failures = 0;
  #failingSince = 0;
  #reported = '';
  #rejectedReportedAt = Number.NEGATIVE_INFINITY;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /**
   * Sends records until they are accepted, or else returns why they are refused; throws Ended. The
   * records of a `trial` were or will be sent in their place, too, so that they do not count.
   */
  async send(
    records: ReadableLogRecord[],
    { renew = false, isTrial = false } = {},
  ): Promise<Failure | undefined> {
    const { send, ending, statistics } = this.#options;
    for (let isNew = renew; ; isNew = true) {
      const outcome = await send(records, isNew);
      if (outcome.kind === 'accepted') {
        if (!isTrial) this.#count(records.length, outcome);
        this.#accept(records.at(-1));
        return undefined;
      }
      const { kind, code } = outcome;
      statistics.failures.set(code, (statistics.failures.get(code) ?? 0) + 1);
      if (ending.aborted) throw new Ended();
      if (kind !== 'transient' && kind !== 'denied') return outcome;
      await this.wait(outcome);
    }
  }

  /** Waits before the next attempt; reports once why records wait. */
  async wait(failure: Failure): Promise<void> {
    const { kind, code, details, retryAfterMs } = failure;
    if (this.#failures++ === 0) this.#failingSince = performance.now();
    const what = `${kind} ${code}`;
    if (this.#reported !== what) {
      this.#reported = what;
      const event = kind === 'denied' ? 'export.collector_denied' : 'export.collector_unavailable';
      this.#options.log(event, { code, details });
    }
    // Even a collector that requests no wait is not called again at once.
    const ms = Math.max(retryAfterMs ?? 0, backoffMs(this.#failures));
    await this.pause(Math.min(ms, RETRY_AFTER_MAX_MS));
  }

  /** Throws Ended if the export ends meanwhile. */
  async pause(ms: number): Promise<void> {
    try {
      await pause(ms, undefined, { signal: this.#options.ending });
    } catch {
      throw new Ended();
    }
  }

  #accept(record: ReadableLogRecord | undefined): void {
    this.accepted = record instanceof JournalLogRecord ? record.copy() : record;
    this.#options.statistics.succeededAt = Date.now();
    if (this.#failures > 0)
      this.#options.log('export.collector_available', {
        failures: this.#failures,
        seconds: secondsSince(this.#failingSince),
      });
    this.#failures = 0;
    this.#reported = '';
  }

  #count(records: number, answer: { rejected: number; message: string }): void {
    const { statistics, log } = this.#options;
    const { message } = answer;
    // Whatever a collector reports, it cannot reject more than it received: counters only grow.
    const rejected = Math.min(Math.max(0, answer.rejected), records);
    statistics.exported += records - rejected;
    statistics.rejected += rejected;
    if (rejected === 0 && message === '') return;
    if (performance.now() - this.#rejectedReportedAt < LOG_EVERY_MS) return;
    this.#rejectedReportedAt = performance.now();
    log('export.records_rejected', { rejected, message, total: statistics.rejected });
  }
}

function secondsSince(time: number): number {
  return Math.round((performance.now() - time) / 1000);
}
