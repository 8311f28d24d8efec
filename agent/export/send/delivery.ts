import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { JournalLogRecord } from '../encode/journal-log-record.ts';
import type { Batch } from '../read/batches.ts';
import type { Position } from '../read/position.ts';
import type { UpcomingBatches } from '../read/upcoming-batches.ts';
import { Ahead } from './ahead.ts';
import { backoffMs } from './backoff.ts';
import type { Refusal } from './dead-letters.ts';
import type { Failure } from './outcome.ts';
import { Sender, type SenderOptions } from './sender.ts';

/**
 * A record is refused for good if it is refused this many times right before and right after
 * another one is accepted.
 */
const ROUNDS = 3;
/** While no other record is accepted either, the encoder comes under suspicion from here on. */
const SUSPICIOUS_REFUSALS = 3;
/**
 * Each time after this many refusals, one of the records that follow is tried: nothing was accepted
 * before, or what was accepted before is no longer. It may overtake, which is why it is not tried
 * earlier.
 */
const REFUSALS_IN_A_ROW = 10;
/**
 * After this many refusals for good in a row the records are hardly the cause, although one that
 * the collector knows already is accepted.
 */
const REFUSED_IN_A_ROW = 10;
const REFUSED_PAUSE_MS = 30_000;
/** The least time between two lines of the log about the encoder. */
const LOG_EVERY_MS = 60_000;

export interface DeliveryOptions extends SenderOptions {
  /** Resolves when the line that begins there is on disk with the reason. */
  keepDeadLetter(start: Position, refusal: Refusal): Promise<void>;
}

/**
 * Delivers batches to the collector, however long that takes: it retries, splits them, and sets
 * records aside.
 *
 * A collector that refuses a record may refuse every record at that moment. So a record is only set
 * aside if another one is accepted meanwhile. That other one is the one that was accepted last, so
 * that the order stays; a collector can receive it again.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #sender: Sender;
  #ahead: Ahead | undefined;
  #refusedInARow = 0;
  /** The collector accepted the stock encoding of records, and not ours. */
  #isEncoderFaulty = false;
  #faultReportedAt = Number.NEGATIVE_INFINITY;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#sender = new Sender(options);
  }

  /** Resolves when all are accepted or set aside; throws Ended. */
  async deliver(batch: Batch, upcoming: UpcomingBatches): Promise<void> {
    this.#ahead = new Ahead(upcoming);
    for (const start of batch.unreadable)
      await this.#setAside(start, { code: 'UNREADABLE', details: 'no line of the journal' });
    if (batch.notEncoded > 0) this.#reportFault({ records: batch.notEncoded });
    if (batch.records.length > 0) await this.#deliver(batch, 0, batch.records.length);
  }

  /** Delivers the batch's records `first` to below `end`. */
  async #deliver(batch: Batch, first: number, end: number): Promise<void> {
    if (end - first === 1) return this.#deliverOne(batch, first);
    const records = batch.records.slice(first, end);
    if ((await this.#send(records)) === undefined) return;
    this.#options.statistics.splits += 1;
    const middle = Math.ceil((first + end) / 2);
    await this.#deliver(batch, first, middle);
    await this.#deliver(batch, middle, end);
  }

  /** Sends one record until it is accepted, or is refused while others are accepted. */
  async #deliverOne(batch: Batch, at: number): Promise<void> {
    const record = batch.records.slice(at, at + 1);
    let rounds = 0;
    let reason: Failure | undefined;
    for (let refusals = 1; ; refusals++) {
      const refusal = await this.#send(record, refusals > 1);
      if (refusal === undefined) return;
      if (await this.#isAnotherAccepted(batch, at, refusals)) {
        if ((await this.#send(record)) === undefined) return;
        reason ??= refusal;
        if (++rounds === ROUNDS) return this.#refuse(record, batch.starts[at] as Position, reason);
        await this.#sender.pause(backoffMs(rounds));
        continue;
      }
      rounds = 0;
      reason = undefined;
      // Or the encoder damages every record.
      if (refusals >= SUSPICIOUS_REFUSALS && (await this.#sendPlain(record, refusal))) return;
      if (refusals === REFUSALS_IN_A_ROW) this.#reportEveryRecordRefused(refusal);
      await this.#sender.wait(refusal);
    }
  }

  /** Sends records in our encoding, and if that is known to be faulty, in the stock encoding. */
  async #send(records: ReadableLogRecord[], renew = false): Promise<Failure | undefined> {
    const refusal = await this.#sender.send(records, { renew });
    if (refusal === undefined) this.#refusedInARow = 0;
    else if (this.#isEncoderFaulty && (await this.#sendPlain(records, refusal))) return undefined;
    return refusal;
  }

  /**
   * Whether the collector accepts another record now, on the same connection: the one that it
   * accepted last or, now and then, one that follows. The first of those may be refused for good,
   * too, so that it is another one each time.
   */
  async #isAnotherAccepted(batch: Batch, at: number, refusals: number): Promise<boolean> {
    const isTurn = refusals % REFUSALS_IN_A_ROW === 0;
    const other = isTurn ? this.#oneBehind(batch, at, refusals) : this.#sender.accepted;
    if (other === undefined) return false;
    return (await this.#sender.send([other], { isTrial: true })) === undefined;
  }

  #oneBehind(batch: Batch, at: number, refusals: number): ReadableLogRecord | undefined {
    const following = [...batch.records.slice(at + 1), ...(this.#ahead?.records ?? [])];
    const turn = refusals / REFUSALS_IN_A_ROW - 1;
    if (turn + 1 >= following.length) this.#ahead?.look();
    return following[turn % following.length];
  }

  /**
   * The second opinion: sends records as the stock serializer encodes them. If the collector
   * accepts that, the fault is in our encoder, and costs no record.
   */
  async #sendPlain(records: ReadableLogRecord[], refusal: Failure): Promise<boolean> {
    const plain = plainRecords(records);
    if (plain === undefined || (await this.#sender.send(plain)) !== undefined) return false;
    this.#refusedInARow = 0;
    // Or the collector has just begun to accept everything.
    this.#isEncoderFaulty ||= (await this.#sender.send(records, { isTrial: true })) !== undefined;
    if (this.#isEncoderFaulty)
      this.#reportFault({ records: records.length, code: refusal.code, details: refusal.details });
    return true;
  }

  #reportFault(fields: Readonly<Record<string, unknown>>): void {
    if (performance.now() - this.#faultReportedAt < LOG_EVERY_MS) return;
    this.#faultReportedAt = performance.now();
    this.#options.log('export.encoder_fault', fields);
  }

  #reportEveryRecordRefused({ code, details }: Failure): void {
    this.#options.log('export.every_record_refused', { code, details });
  }

  /** Sets a record aside, unless the stock encoding of it is accepted. */
  async #refuse(record: ReadableLogRecord[], start: Position, refusal: Failure): Promise<void> {
    if (await this.#sendPlain(record, refusal)) return;
    await this.#setAside(start, { code: refusal.code, details: refusal.details });
    this.#refusedInARow += 1;
    if (this.#refusedInARow < REFUSED_IN_A_ROW) return;
    if (this.#refusedInARow === REFUSED_IN_A_ROW) this.#reportEveryRecordRefused(refusal);
    await this.#sender.pause(REFUSED_PAUSE_MS);
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
        await this.#sender.pause(backoffMs(failures));
      }
    }
    statistics.deadLetters += 1;
    log('export.record_refused', { ...start, ...refusal });
  }
}

/** Returns the records without our encoding; undefined: none has one, or a line cannot be read. */
function plainRecords(records: ReadableLogRecord[]): ReadableLogRecord[] | undefined {
  if (!records.some((record) => record instanceof JournalLogRecord)) return undefined;
  try {
    return records.map((record) => (record instanceof JournalLogRecord ? record.plain : record));
  } catch {
    return undefined;
  }
}
