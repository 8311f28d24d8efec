import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { JournalLogRecord } from '../encode/journal-log-record.ts';
import { WithheldLogRecord } from '../encode/withheld-log-record.ts';
import type { Batch } from '../read/batches.ts';
import { isSame, type Position } from '../read/position.ts';
import type { UpcomingBatches } from '../read/upcoming-batches.ts';
import { Ahead } from './ahead.ts';
import { backoffMs } from './backoff.ts';
import type { DeadLetter } from './dead-letters.ts';
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
 * Each time after this many refusals, a few records that follow, or the newest one, are tried:
 * nothing was accepted before, or what was accepted before is no longer. It may overtake, which is
 * why it is not tried earlier.
 */
const REFUSALS_IN_A_ROW = 10;
/** How many others are tried each time, and how many that follow before the newest one. */
const TRIED_AT_ONCE = 4;
const FOLLOWING_FIRST = 7;
/**
 * Each time after this many refusals for good in a row, the records are hardly the cause, although
 * one that the collector knows already is accepted; unless it accepts a new one, too.
 */
const REFUSED_IN_A_ROW = 10;
const REFUSED_PAUSE_MS = 30_000;
/** How many of those that follow are tried then. */
const FOLLOWING_MAX = 100;
const UNREADABLE = { code: 'UNREADABLE', details: 'no line of the journal' };
/** The least time between two lines of the log about the encoder, or about dead letters. */
const LOG_EVERY_MS = 60_000;

/** The record that was written last, and where its line begins. */
export interface NewestRecord {
  readonly record: ReadableLogRecord;
  readonly start: Position;
}

export interface DeliveryOptions extends SenderOptions {
  /** Returns the newest record of this run; undefined: it is not exported, or there is none. */
  newest(): NewestRecord | undefined;
  /** Resolves when the record is on disk with the reason. */
  keepDeadLetter(letter: DeadLetter): Promise<void>;
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
  /** Where the newest record was that was tried last. */
  #tried: Position | undefined;
  /** the records that the collector may know, because they were tried before their turn */
  readonly #known = new WeakSet<ReadableLogRecord>();
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
    for (const start of batch.unreadable) await this.#setAside({ start, refusal: UNREADABLE });
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
    const others = this.#others(batch, at);
    let rounds = 0;
    let reason: Failure | undefined;
    for (let refusals = 1; ; refusals++) {
      const refusal = await this.#send(record, refusals > 1);
      if (refusal === undefined) return;
      const isTurn = refusals % REFUSALS_IN_A_ROW === 0;
      // The one that was accepted before overtakes none.
      const isOtherAccepted =
        (await this.#isAccepted(this.#sender.accepted)) ||
        (isTurn && (await this.#isOneAccepted(others)));
      if (isOtherAccepted) {
        if ((await this.#send(record)) === undefined) return;
        reason ??= refusal;
        if (++rounds === ROUNDS) return this.#refuse(batch, at, reason);
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

  /** Whether the collector accepts another record now, on the same connection. */
  async #isAccepted(other: ReadableLogRecord | undefined): Promise<boolean> {
    if (other === undefined) return false;
    return (await this.#sender.send([other], { isTrial: true })) === undefined;
  }

  /** Whether the collector accepts one of the next few other records. */
  async #isOneAccepted(others: Iterator<ReadableLogRecord | undefined, never>): Promise<boolean> {
    for (let n = 0; n < TRIED_AT_ONCE; n++)
      if (await this.#isAccepted(others.next().value)) return true;
    return false;
  }

  /**
   * Returns other records, without end: each that follows may be refused for good, too, and more of
   * them than can be read ahead. The newest one is another each time.
   */
  *#others(batch: Batch, at: number): Generator<ReadableLogRecord | undefined, never> {
    for (let n = 0; ; n++) {
      const following = this.#behind(batch, at);
      if (n + 1 >= following.length) this.#ahead?.look();
      yield following[n % following.length];
      // It overtakes the most, so that it comes last.
      const isDue = n % FOLLOWING_FIRST === FOLLOWING_FIRST - 1;
      const newest = isDue ? this.#newestBut(batch.starts[at] as Position) : undefined;
      if (newest !== undefined) yield newest;
    }
  }

  /** Returns the newest record, unless it is the one at this position. */
  #newestBut(start: Position): ReadableLogRecord | undefined {
    const newest = this.#options.newest();
    if (newest === undefined || isSame(newest.start, start)) return undefined;
    this.#tried = newest.start;
    return newest.record;
  }

  /** Whether the collector accepts a record that it cannot know: one that follows, or the newest one. */
  async #isNewAccepted(batch: Batch, at: number): Promise<boolean> {
    let tries = 0;
    for (const one of this.#following(batch, at)) {
      if (this.#known.has(one)) continue;
      this.#known.add(one);
      if (await this.#isAccepted(one)) return true;
      tries += 1;
      if (tries === FOLLOWING_MAX) break;
    }
    this.#ahead?.look();
    const before = this.#tried;
    const newest = this.#newestBut(batch.starts[at] as Position);
    return this.#tried !== before && (await this.#isAccepted(newest));
  }

  /** Returns the records that follow, as far as they are read. */
  #behind({ records }: Batch, at: number): ReadableLogRecord[] {
    return [...records.slice(at + 1), ...(this.#ahead?.records ?? [])];
  }

  /** Yields what follows: farther and farther away, because near ones may be alike, and then each one. */
  *#following(batch: Batch, at: number): Generator<ReadableLogRecord> {
    const all = this.#behind(batch, at);
    for (let place = 0; place < all.length; place = 2 * place + 1)
      yield all[place] as ReadableLogRecord;
    yield* all;
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
  async #refuse(batch: Batch, at: number, refusal: Failure): Promise<void> {
    const one = batch.records[at];
    if (one !== undefined && (await this.#sendPlain([one], refusal))) return;
    const { code, details } = refusal;
    const start = batch.starts[at] as Position;
    const isOurs = one instanceof JournalLogRecord || one instanceof WithheldLogRecord;
    const line = isOurs ? one.line : undefined;
    await this.#setAside({ start, refusal: { code, details }, line });
    this.#refusedInARow += 1;
    if (this.#refusedInARow < REFUSED_IN_A_ROW) return;
    if (await this.#isNewAccepted(batch, at)) {
      this.#refusedInARow = 0;
      return;
    }
    if (this.#refusedInARow === REFUSED_IN_A_ROW) this.#reportEveryRecordRefused(refusal);
    await this.#sender.pause(REFUSED_PAUSE_MS);
  }

  /**
   * Keeps a dead letter, however long the disk takes none: without it nothing says what the collector
   * lacks, so that the records behind it wait in the journal.
   */
  async #setAside(letter: DeadLetter): Promise<void> {
    const { keepDeadLetter, log, statistics } = this.#options;
    let reportedAt = Number.NEGATIVE_INFINITY;
    for (let failures = 1; ; failures++) {
      try {
        await keepDeadLetter(letter);
        break;
      } catch (error) {
        const { message } = error as Error;
        statistics.deadLetterFailures += 1;
        const isDue = performance.now() - reportedAt >= LOG_EVERY_MS;
        if (isDue) log('export.dead_letter_write_failed', { error: message });
        if (isDue) reportedAt = performance.now();
        await this.#sender.pause(backoffMs(failures));
      }
    }
    statistics.deadLetters += 1;
    log('export.record_refused', { ...letter.start, ...letter.refusal });
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
