import { setTimeout as pause } from 'node:timers/promises';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { EXIT, exitCodeOf } from '../errors.ts';
import type { Log } from '../log-events.ts';
import type { GrpcTransport } from './connect/grpc-transport.ts';
import { LogRecordEncoder } from './encode/log-record-encoder.ts';
import { createScope } from './encode/scope.ts';
import { type Batch, Batches } from './read/batches.ts';
import { Cursor, resume } from './read/cursor.ts';
import type { Filter } from './read/filter.ts';
import { JournalReader } from './read/journal-reader.ts';
import type { ExportedJournal, Position } from './read/position.ts';
import { RecentLines } from './read/recent-lines.ts';
import { UpcomingBatches } from './read/upcoming-batches.ts';
import { CatchUpLimit } from './send/catch-up-limit.ts';
import { keepDeadLetter } from './send/dead-letters.ts';
import { Delivery, type NewestRecord } from './send/delivery.ts';
import type { JournalLogExporter } from './send/journal-log-exporter.ts';
import { type Outcome, outcomeOf } from './send/outcome.ts';
import { Ended } from './send/sender.ts';
import { createStatistics, type Statistics } from './statistics.ts';

/** Lines that the export has not taken by the time they exceed this are read back from the disk. */
const RECENT_BYTES = 4 << 20;
/** After an error that keeps the journal from being read. */
const PROBLEM_PAUSE_MS = 1000;

export interface JournalExportOptions {
  readonly version: string;
  /** where the collector listens, for the log */
  readonly target: string;
  readonly filter: Filter;
  readonly exporter: JournalLogExporter;
  /** the transport of the exporter */
  readonly transport: GrpcTransport;
  readonly batchRecords: number;
  readonly batchBytes: number;
  readonly batchAgeMs: number;
  /** a limit for records that are read back from the disk, per second; 0: no limit */
  readonly catchUpRate: number;
  /** With it, a disk that cannot sync does not hold up dead letters. */
  readonly mayBeUnsynced: boolean;
  readonly log: Log;
  /** Default: the one that the agent is built with. */
  readonly encoder?: LogRecordEncoder;
}

/**
 * A running export: it sends what is written to the journal to a collector, behind the writer, in
 * order, at least once.
 */
export class JournalExport {
  readonly statistics: Statistics = createStatistics();
  readonly #options: JournalExportOptions;
  readonly #recent: RecentLines;
  readonly #cursor: Cursor;
  readonly #reader: JournalReader;
  readonly #batches: Batches;
  readonly #ending = new AbortController();
  /** Nothing is acknowledged any more. */
  #over = false;
  #position: Position;
  readonly #upcoming: UpcomingBatches;
  readonly #running: Promise<void>;

  /** Starts at the saved cursor, or else at the oldest line of the journal. */
  constructor(options: JournalExportOptions, journal: ExportedJournal) {
    const { log, version, target, filter } = options;
    const onSkipped = (from: Position, to: Position) => {
      this.statistics.skips += 1;
      log('export.segments_deleted', { from, to });
    };
    this.#options = options;
    this.#position = resume(journal, onSkipped);
    this.#recent = new RecentLines(journal.end, RECENT_BYTES);
    this.#cursor = new Cursor(journal.dir, ({ message }) =>
      log('export.cursor_write_failed', { error: message }),
    );
    const { readText, findOldest } = journal;
    this.#reader = new JournalReader(
      { recent: this.#recent, readText, oldest: findOldest, onSkipped },
      this.#position,
    );
    this.#batches = new Batches(
      {
        maxRecords: options.batchRecords,
        maxBytes: options.batchBytes,
        maxAgeMs: options.batchAgeMs,
        scope: createScope(version),
        encoder: options.encoder ?? new LogRecordEncoder(),
        withheld: filter.withheld,
        mayPass: filter.mayPass,
      },
      this.#reader,
    );
    const delivery = new Delivery({
      log,
      statistics: this.statistics,
      ending: this.#ending.signal,
      send: (records, renew) => this.#send(records, renew),
      newest: () => this.#newest(),
      keepDeadLetter: (letter) => keepDeadLetter(journal, letter, options),
    });
    this.#cursor.move(this.#position);
    log('export.started', { endpoint: target, from: this.#position });
    this.#upcoming = new UpcomingBatches(() => this.#next());
    this.#running = this.#run(delivery);
  }

  /**
   * Takes lines that are in the journal now, up to `end`. They are exported once `settled` resolves, and
   * what follows them, too.
   */
  push(lines: Buffer, length: number, end: Position, settled?: Promise<void>): void {
    this.#recent.push(lines, length, end, settled);
  }

  /** All lines before it are exported, set aside, or reported as withheld by a rule. */
  get position(): Position {
    return this.#position;
  }

  /** Records kept back, by the text of the rule. */
  get keptBack(): ReadonlyMap<string, number> {
    return this.#options.filter.kept;
  }

  /** How old the last exported record is while others wait; 0: none waits. */
  get lagSeconds(): number {
    const { lastRecordTime } = this.statistics;
    const waits = lastRecordTime > 0 && !this.#recent.isWritten(this.#position);
    return waits ? Math.max(0, Date.now() / 1000 - lastRecordTime) : 0;
  }

  /**
   * Waits for the disk, and sends what there is until the first failure, both together at most for this
   * time; then saves the cursor.
   */
  async close(graceMs: number): Promise<void> {
    const grace = new AbortController();
    const isOver = pause(graceMs, undefined, { signal: grace.signal }).catch(() => {});
    await Promise.race([this.#recent.settled(), isOver]);
    this.#ending.abort();
    await Promise.race([this.#running, isOver]);
    grace.abort();
    this.#over = true;
    this.#options.transport.shutdown();
    await this.#upcoming.settled();
    await this.#reader.close();
    await this.#cursor.close();
    if (!this.#recent.isWritten(this.#position))
      this.#options.log('export.unfinished', { from: this.#position });
  }

  async #run(delivery: Delivery): Promise<void> {
    const catchUpLimit = new CatchUpLimit(this.#options.catchUpRate);
    try {
      for (;;) {
        const batch = await this.#upcoming.take();
        if (batch === undefined || this.#over) return;
        // It is prepared while this one is being sent; take() throws what it throws.
        this.#upcoming.at(0)?.catch(() => {});
        if (batch.isBehind) await catchUpLimit.wait(batch.records.length, this.#ending.signal);
        await delivery.deliver(batch, this.#upcoming);
        if (this.#over) return;
        this.#acknowledge(batch);
        this.#batches.release(batch);
      }
    } catch (error) {
      if (error instanceof Ended) return;
      // The agent keeps recording, and the next run exports the rest.
      this.#options.log('export.failed', { error: (error as Error).stack });
    }
  }

  /** Returns the next batch; skips a segment that cannot be read, and retries after any other error. */
  async #next(): Promise<Batch | undefined> {
    for (let reported = ''; ; ) {
      try {
        return await this.#batches.next(this.#ending.signal);
      } catch (error) {
        const { message } = error as Error;
        const isDamage = exitCodeOf(error) === EXIT.journal;
        if (!isDamage && message !== reported)
          this.#options.log('export.journal_unreadable', { error: message });
        reported = message;
        if (this.#ending.signal.aborted) return undefined;
        if (isDamage) this.#skipSegment(message);
        else await pause(PROBLEM_PAUSE_MS);
      }
    }
  }

  #skipSegment(error: string): void {
    const from = this.#reader.position;
    this.#reader.skipSegment();
    this.statistics.skips += 1;
    this.#options.log('export.segment_skipped', { from, to: this.#reader.position, error });
  }

  #newest(): NewestRecord | undefined {
    const { newest } = this.#recent;
    if (newest === undefined) return undefined;
    const { bytes, start } = newest;
    const record = this.#batches.alone({ bytes, from: 0, to: bytes.length - 1 });
    return record && { record, start };
  }

  #send(records: ReadableLogRecord[], renew: boolean): Promise<Outcome> {
    const { exporter, transport } = this.#options;
    if (renew) transport.reconnect();
    return new Promise((resolve) =>
      exporter.export(records, (result) => resolve(outcomeOf(result))),
    );
  }

  #acknowledge({ end, lastTime }: Batch): void {
    this.#position = end;
    this.#cursor.move(end);
    this.statistics.lastRecordTime = lastTime ?? this.statistics.lastRecordTime;
  }
}
