import { setTimeout as pause } from 'node:timers/promises';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { Log } from '../../log-events.ts';
import { JournalLogRecord } from '../encode/journal-log-record.ts';
import type { Batch } from '../read/batches.ts';
import type { Position } from '../read/position.ts';
import type { Statistics } from '../statistics.ts';
import { backoffMs } from './backoff.ts';
import type { Refusal } from './dead-letters.ts';
import type { Failure, Outcome } from './outcome.ts';

/**
 * A single record that is refused this many times is refused for good; INVALID_ARGUMENT is final at
 * once.
 */
const REFUSALS = 3;
/**
 * After this many refusals in a row the records are not the cause: the collector refuses
 * everything.
 */
const REFUSED_IN_A_ROW = 10;
const REFUSED_PAUSE_MS = 30_000;
/** The longest wait, whatever RetryInfo requests. */
const RETRY_AFTER_MAX_MS = 600_000;
/** The least time between two lines of the log about the same problem. */
const LOG_EVERY_MS = 60_000;

export interface DeliveryOptions {
  /** Makes one call, with `renew` on a new connection. */
  send(records: ReadableLogRecord[], renew: boolean): Promise<Outcome>;
  /** Resolves when the line that begins there is on disk with the reason. */
  keepDeadLetter(start: Position, refusal: Refusal): Promise<void>;
  readonly log: Log;
  readonly statistics: Statistics;
  /** Once aborted, the next failure ends the delivery. */
  readonly ending: AbortSignal;
}

/** Thrown when a delivery is given up, because the export ends. */
export class Ended extends Error {}

/**
 * Delivers batches to the collector, however long that takes: it retries, splits them, and sets
 * records aside.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  /** Transient failures in a row, when they began, and what was logged about them. */
  #failures = 0;
  #failingSince = 0;
  #reported = '';
  #refusedInARow = 0;
  /** The collector accepted the stock encoding of records, and not ours. */
  #isEncoderFaulty = false;
  #rejectedReportedAt = Number.NEGATIVE_INFINITY;
  #faultReportedAt = Number.NEGATIVE_INFINITY;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** Resolves when all are accepted or set aside; throws Ended. */
  async deliver(batch: Batch): Promise<void> {
    for (const start of batch.unreadable)
      await this.#setAside(start, { code: 'UNREADABLE', details: 'no line of the journal' });
    if (batch.notEncoded > 0) this.#reportFault({ records: batch.notEncoded });
    if (batch.records.length > 0) await this.#deliver(batch, 0, batch.records.length);
  }

  /** Delivers the batch's records `first` to below `end`. */
  async #deliver(batch: Batch, first: number, end: number): Promise<void> {
    const records = batch.records.slice(first, end);
    for (let refusals = 1; ; refusals++) {
      const refusal = await this.#send(records, refusals > 1);
      if (refusal === undefined) return;
      const isFinal = refusals === REFUSALS || refusal.code === 'INVALID_ARGUMENT';
      if (records.length > 1 ? this.#isEncoderFaulty : isFinal)
        if (await this.#sendPlain(records, refusal)) return;
      if (records.length > 1) return this.#split(batch, first, end);
      if (isFinal) return this.#refuse(batch.starts[first] as Position, refusal);
      await this.#pause(backoffMs(refusals));
    }
  }

  /** Sends records until they are accepted, or else returns why they are refused; throws Ended. */
  async #send(records: ReadableLogRecord[], renew: boolean): Promise<Failure | undefined> {
    const { send, ending, statistics } = this.#options;
    for (let isNew = renew; ; isNew = true) {
      const outcome = await send(records, isNew);
      if (outcome.kind === 'accepted') {
        this.#accept(records.length, outcome);
        return undefined;
      }
      const { kind, code } = outcome;
      statistics.failures.set(code, (statistics.failures.get(code) ?? 0) + 1);
      if (ending.aborted) throw new Ended();
      if (kind !== 'transient' && kind !== 'denied') return outcome;
      await this.#wait(outcome);
    }
  }

  /**
   * The second opinion: sends records as the stock serializer encodes them. If the collector
   * accepts that, the fault is in our encoder, and costs no record.
   */
  async #sendPlain(records: readonly ReadableLogRecord[], refusal: Failure): Promise<boolean> {
    const plain = plainRecords(records);
    if (plain === undefined || (await this.#send(plain, false)) !== undefined) return false;
    this.#isEncoderFaulty = true;
    this.#reportFault({ records: records.length, code: refusal.code, details: refusal.details });
    return true;
  }

  async #split(batch: Batch, first: number, end: number): Promise<void> {
    this.#options.statistics.splits += 1;
    const middle = Math.ceil((first + end) / 2);
    await this.#deliver(batch, first, middle);
    await this.#deliver(batch, middle, end);
  }

  #accept(records: number, answer: { rejected: number; message: string }): void {
    const { statistics, log } = this.#options;
    const { message } = answer;
    // Whatever a collector reports, it cannot reject more than it received: counters only grow.
    const rejected = Math.min(Math.max(0, answer.rejected), records);
    statistics.exported += records - rejected;
    statistics.rejected += rejected;
    statistics.succeededAt = Date.now();
    this.#refusedInARow = 0;
    if (this.#failures > 0)
      log('export.collector_available', {
        failures: this.#failures,
        seconds: secondsSince(this.#failingSince),
      });
    this.#failures = 0;
    this.#reported = '';
    if (rejected === 0 && message === '') return;
    if (performance.now() - this.#rejectedReportedAt < LOG_EVERY_MS) return;
    this.#rejectedReportedAt = performance.now();
    log('export.records_rejected', { rejected, message, total: statistics.rejected });
  }

  #reportFault(fields: Readonly<Record<string, unknown>>): void {
    if (performance.now() - this.#faultReportedAt < LOG_EVERY_MS) return;
    this.#faultReportedAt = performance.now();
    this.#options.log('export.encoder_fault', fields);
  }

  async #refuse(start: Position, { code, details }: Failure): Promise<void> {
    await this.#setAside(start, { code, details });
    this.#refusedInARow += 1;
    if (this.#refusedInARow < REFUSED_IN_A_ROW) return;
    if (this.#refusedInARow === REFUSED_IN_A_ROW)
      this.#options.log('export.every_record_refused', { code, details });
    await this.#pause(REFUSED_PAUSE_MS);
  }

  async #setAside(start: Position, refusal: Refusal): Promise<void> {
    const { keepDeadLetter, log, statistics } = this.#options;
    for (let failures = 1; ; failures++) {
      try {
        await keepDeadLetter(start, refusal);
        break;
      } catch (error) {
        const { message } = error as Error;
        if (failures === 1) log('export.dead_letter_write_failed', { error: message });
        await this.#pause(backoffMs(failures));
      }
    }
    statistics.deadLetters += 1;
    log('export.record_refused', { ...start, ...refusal });
  }

  /** Waits before the next attempt; reports once why records wait. */
  async #wait(failure: Failure): Promise<void> {
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
    await this.#pause(Math.min(ms, RETRY_AFTER_MAX_MS));
  }

  async #pause(ms: number): Promise<void> {
    try {
      await pause(ms, undefined, { signal: this.#options.ending });
    } catch {
      throw new Ended();
    }
  }
}

/** Returns the records without our encoding; undefined: none has one, or a line cannot be read. */
function plainRecords(records: readonly ReadableLogRecord[]): ReadableLogRecord[] | undefined {
  if (!records.some((record) => record instanceof JournalLogRecord)) return undefined;
  try {
    return records.map((record) => (record instanceof JournalLogRecord ? record.plain : record));
  } catch {
    return undefined;
  }
}

function secondsSince(time: number): number {
  return Math.round((performance.now() - time) / 1000);
}
