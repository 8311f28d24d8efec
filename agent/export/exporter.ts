import { setTimeout as pause } from 'node:timers/promises';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { EXIT, exitCodeOf } from '../errors.ts';
import type { Log } from '../log-events.ts';
import { CredentialFiles, type CredentialSources } from './connect/credential-files.ts';
import { parseEndpoint } from './connect/endpoint.ts';
import { GrpcTransport } from './connect/grpc-transport.ts';
import { JournalLogsSerializer } from './encode/journal-logs-serializer.ts';
import { LogRecordEncoder } from './encode/log-record-encoder.ts';
import { createScope } from './encode/scope.ts';
import { type Batch, Batches } from './read/batches.ts';
import { Cursor, resume } from './read/cursor.ts';
import { JournalReader } from './read/journal-reader.ts';
import type { ExportedJournal, Position } from './read/position.ts';
import { RecentLines } from './read/recent-lines.ts';
import { createFilter, type Filter, parseRules } from './read/rules.ts';
import { keepDeadLetter } from './send/dead-letters.ts';
import { Delivery, Ended } from './send/delivery.ts';
import { JournalLogExporter } from './send/journal-log-exporter.ts';
import { type Outcome, outcomeOf } from './send/outcome.ts';
import { RateLimit } from './send/rate-limit.ts';
import { createStatistics, type Statistics } from './statistics.ts';

/**
 * Lines kept in memory for the export; what it has not taken by then is read back from the disk.
 */
const RECENT_BYTES = 4 << 20;
/** After an error that keeps the journal from being read. */
const PROBLEM_PAUSE_MS = 1000;

export interface ExporterOptions {
  readonly version: string;
  readonly endpoint: string;
  /** of an endpoint without a scheme */
  readonly insecure: boolean;
  readonly files: CredentialSources;
  readonly compression: 'gzip' | 'none';
  /** of one call */
  readonly timeoutMs: number;
  readonly batchRecords: number;
  readonly batchBytes: number;
  readonly batchAgeMs: number;
  /** records a second of those that are read back from the disk; 0: as many as go */
  readonly catchUpRate: number;
  readonly rules: readonly string[];
  readonly log: Log;
  /** Default: the one that the agent is built with. */
  readonly encoder?: LogRecordEncoder;
}

/**
 * Brings what is written to the journal to a collector: behind the writer, in order, at least once.
 */
export class Exporter {
  readonly statistics: Statistics = createStatistics();
  readonly #options: ExporterOptions;
  readonly #target: string;
  readonly #filter: Filter;
  readonly #transport: GrpcTransport;
  readonly #exporter: JournalLogExporter;
  readonly #ending = new AbortController();
  /** Nothing is acknowledged any more. */
  #over = false;
  #recent: RecentLines | undefined;
  #cursor: Cursor | undefined;
  #tail: JournalReader | undefined;
  #position: Position = { segment: 0, offset: 0 };
  #running: Promise<void> = Promise.resolve();
  #upcoming: Promise<Batch | undefined> = Promise.resolve(undefined);

  /** Checks endpoint, files and rules; throws an error of the registry. */
  constructor(options: ExporterOptions) {
    this.#options = options;
    const endpoint = parseEndpoint(options.endpoint, options.insecure);
    this.#target = endpoint.target;
    this.#filter = createFilter(parseRules(options.rules));
    const files = new CredentialFiles(options.files, ({ message }) =>
      options.log('export.credentials_invalid', { error: message }),
    );
    this.#transport = new GrpcTransport({
      endpoint,
      compression: options.compression,
      userAgent: `vcml-agent/${options.version}`,
      credentials: () => files.current,
    });
    this.#exporter = new JournalLogExporter({
      serializer: new JournalLogsSerializer(),
      transport: this.#transport,
      timeoutMs: options.timeoutMs,
    });
  }

  /** Begins at the saved cursor, or with all that the journal has. */
  start(journal: ExportedJournal): void {
    const { log, version, batchRecords, batchBytes, batchAgeMs } = this.#options;
    const onSkipped = (from: Position, to: Position) => {
      this.statistics.skips += 1;
      log('export.segments_deleted', { from, to });
    };
    this.#position = resume(journal, onSkipped);
    this.#recent = new RecentLines(journal.end, RECENT_BYTES);
    this.#cursor = new Cursor(journal.dir, ({ message }) =>
      log('export.cursor_write_failed', { error: message }),
    );
    const { readLines } = journal;
    const tail = new JournalReader(
      { recent: this.#recent, readLines, oldest: () => journal.oldest, onSkipped },
      this.#position,
    );
    this.#tail = tail;
    const batches = new Batches(
      {
        maxRecords: batchRecords,
        maxBytes: batchBytes,
        maxAgeMs: batchAgeMs,
        scope: createScope(version),
        encoder: this.#options.encoder ?? new LogRecordEncoder(),
        passes: this.#filter.passes,
      },
      tail,
    );
    const delivery = new Delivery({
      log,
      statistics: this.statistics,
      ending: this.#ending.signal,
      send: (records, renew) => this.#send(records, renew),
      keepDeadLetter: (start, refusal) => keepDeadLetter(journal, start, refusal, log),
    });
    this.#cursor.move(this.#position);
    log('export.started', { endpoint: this.#target, from: this.#position });
    this.#running = this.#run(() => this.#next(batches, tail), delivery);
  }

  /** Tells of lines that are in the journal now, up to `end`. */
  push(lines: Buffer, length: number, end: Position): void {
    this.#recent?.push(lines, length, end);
  }

  /** All lines before it are exported, set aside, or kept back by a rule. */
  get position(): Position {
    return this.#position;
  }

  /** Records kept back, by the text of the rule. */
  get keptBack(): ReadonlyMap<string, number> {
    return this.#filter.kept;
  }

  /** How old the last exported record is while others wait; 0: none waits. */
  get lagSeconds(): number {
    const { lastRecordTime } = this.statistics;
    const waits = lastRecordTime > 0 && this.#recent?.isEnd(this.#position) === false;
    return waits ? Math.max(0, Date.now() / 1000 - lastRecordTime) : 0;
  }

  /**
   * Sends what there is, until the first failure and for so long at most; then saves the cursor.
   */
  async close(graceMs: number): Promise<void> {
    this.#ending.abort();
    const grace = new AbortController();
    await Promise.race([
      this.#running,
      pause(graceMs, undefined, { signal: grace.signal }).catch(() => {}),
    ]);
    grace.abort();
    this.#over = true;
    this.#transport.shutdown();
    await this.#upcoming;
    await this.#tail?.close();
    await this.#cursor?.close();
    if (this.#recent?.isEnd(this.#position) === false)
      this.#options.log('export.unfinished', { from: this.#position });
  }

  async #run(next: () => Promise<Batch | undefined>, delivery: Delivery): Promise<void> {
    const pace = new RateLimit(this.#options.catchUpRate);
    try {
      this.#upcoming = next();
      for (let batch = await this.#upcoming; batch && !this.#over; batch = await this.#upcoming) {
        this.#upcoming = next(); // made while this one is on its way
        if (batch.isBehind) await pace.wait(batch.records.length, this.#ending.signal);
        await delivery.deliver(batch);
        if (this.#over) return;
        this.#acknowledge(batch);
      }
    } catch (error) {
      if (error instanceof Ended) return;
      // The agent keeps recording, and the next run exports the rest.
      this.#options.log('export.failed', { error: (error as Error).stack });
    }
  }

  /** Returns the next batch; skips a segment that cannot be read, and retries after any other error. */
  async #next(batches: Batches, tail: JournalReader): Promise<Batch | undefined> {
    for (let reported = ''; ; ) {
      try {
        return await batches.next(this.#ending.signal);
      } catch (error) {
        const { message } = error as Error;
        const isDamage = exitCodeOf(error) === EXIT.journal;
        if (!isDamage && message !== reported)
          this.#options.log('export.journal_unreadable', { error: message });
        reported = message;
        if (this.#ending.signal.aborted) return undefined;
        if (isDamage) this.#skipSegment(tail, message);
        else await pause(PROBLEM_PAUSE_MS);
      }
    }
  }

  #skipSegment(tail: JournalReader, error: string): void {
    const from = tail.position;
    tail.skipSegment();
    this.statistics.skips += 1;
    this.#options.log('export.segment_skipped', { from, to: tail.position, error });
  }

  #send(records: ReadableLogRecord[], renew: boolean): Promise<Outcome> {
    if (renew) this.#transport.reconnect();
    return new Promise((resolve) =>
      this.#exporter.export(records, (result) => resolve(outcomeOf(result))),
    );
  }

  #acknowledge({ end, lastTime }: Batch): void {
    this.#position = end;
    this.#cursor?.move(end);
    this.statistics.lastRecordTime = lastTime ?? this.statistics.lastRecordTime;
  }
}
