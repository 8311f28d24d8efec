import { setTimeout as pause } from 'node:timers/promises';
import { ProtobufWriter } from '../encode/protobuf-writer.ts';
import type { ExportLog } from '../log.ts';
import type { Batch } from '../read/batches.ts';
import type { Position } from '../read/position.ts';
import type { Statistics } from '../statistics.ts';
import { backoffMs } from './backoff.ts';
import type { Refusal } from './dead-letters.ts';
import type { Failure, Outcome } from './outcome.ts';

/** A single record that is refused so often is refused for good; INVALID_ARGUMENT says it at once. */
const REFUSALS = 3;
/** After so many in a row it is not the records: the collector refuses everything. */
const REFUSED_IN_A_ROW = 10;
const REFUSED_PAUSE_MS = 30_000;
/** Whatever RetryInfo says, we ask again after this. */
const RETRY_AFTER_MAX_MS = 600_000;
const TELL_REJECTED_EVERY_MS = 60_000;

export interface DeliveryOptions {
  /** One call; with `renew` on a new connection. The request is the delivery's again when it resolves. */
  send(request: Buffer, renew: boolean): Promise<Outcome>;
  /** Resolves when the line that begins there is on disk once more, with the reason. */
  keepDeadLetter(start: Position, refusal: Refusal): Promise<void>;
  readonly log: ExportLog;
  readonly statistics: Statistics;
  /** Once aborted, the next failure ends the delivery. */
  readonly ending: AbortSignal;
}

/** Why a delivery was given up: the export ends. */
export class Ended extends Error {}

/** Brings batches to the collector, however long that takes: tries again, splits, sets aside. */
export class Delivery {
  readonly #options: DeliveryOptions;
  /** of the one request that is on its way */
  readonly #writer = new ProtobufWriter();
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
  async deliver(batch: Batch): Promise<void> {
    for (const start of batch.unreadable)
      await this.#setAside(start, { code: 'UNREADABLE', details: 'no line of the journal' });
    if (batch.requests.count > 0) await this.#deliver(batch, 0, batch.requests.count);
  }

  /** The batch's records `first` to below `end`. */
  async #deliver(batch: Batch, first: number, end: number): Promise<void> {
    const { send, ending, statistics } = this.#options;
    for (let refusals = 0, renew = false; ; renew = true) {
      const outcome = await send(batch.requests.request(first, end, this.#writer), renew);
      if (outcome.kind === 'accepted') return this.#accept(end - first, outcome);
      const { kind, code } = outcome;
      statistics.failures.set(code, (statistics.failures.get(code) ?? 0) + 1);
      if (ending.aborted) throw new Ended();
      if (kind === 'transient' || kind === 'denied') await this.#wait(outcome);
      else if (end - first > 1) return this.#split(batch, first, end);
      else if (++refusals >= REFUSALS || code === 'INVALID_ARGUMENT')
        return this.#refuse(batch.starts[first] as Position, outcome);
      else await this.#pause(backoffMs(refusals));
    }
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
    // Whatever a collector says, it cannot have rejected more than it got: counters only grow.
    const rejected = Math.min(Math.max(0, answer.rejected), records);
    statistics.exported += records - rejected;
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

  async #refuse(start: Position, { code, details }: Failure): Promise<void> {
    await this.#setAside(start, { code, details });
    this.#refusedInARow += 1;
    if (this.#refusedInARow < REFUSED_IN_A_ROW) return;
    if (this.#refusedInARow === REFUSED_IN_A_ROW)
      this.#options.log.error({ code, details }, 'the collector refuses every record');
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
        if (failures === 1) log.error({ error: message }, 'a dead letter cannot be written');
        await this.#pause(backoffMs(failures));
      }
    }
    statistics.deadLetters += 1;
    log.error(
      { ...start, ...refusal },
      'a record is refused for good: it is in the dead-letter file',
    );
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
    // A collector that asks for no wait at all does not get one attempt after another.
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

function secondsSince(time: number): number {
  return Math.round((performance.now() - time) / 1000);
}
