import type { TestContext } from 'node:test';
import {
  CredentialFiles,
  type CredentialSources,
} from '../../../agent/export/connect/credential-files.ts';
import type { JournalExport } from '../../../agent/export/journal-export.ts';
import { type ExportOptions, prepareExport } from '../../../agent/export/prepare-export.ts';
import type { Journal, JournalOptions } from '../../../agent/journal/journal.ts';
import { readLines, readText } from '../../../agent/journal/read.ts';
import { listSegmentsSync, oldestPosition } from '../../../agent/journal/segment.ts';
import { LOG_EVENTS, type Log } from '../../../agent/log-events.ts';
import { createBed, linesOf } from '../journal/bed.ts';
import { type Collector, type CollectorOptions, startCollector } from './collector.ts';

export const NO_FILES: CredentialSources = {
  certificate: undefined,
  clientCertificate: undefined,
  clientKey: undefined,
  token: undefined,
  headers: undefined,
  fixedHeaders: {},
};

/** The options of an export on a bed, and the files of its credentials. */
type BedOptions = Partial<ExportOptions> & { readonly files?: CredentialSources };

/** A real journal, and exports behind it. */
export interface ExportBed {
  readonly dir: string;
  /** what exports logged, such as `warn export.collector_unavailable {"code":"UNAVAILABLE"}` */
  readonly log: string[];
  journal: Journal;
  /** Closes the journal and opens it again, as the next run of an agent would. */
  reopen(options?: Partial<JournalOptions>): Promise<void>;
  /** Writes lines, and passes them to the export that is running. */
  write(...lines: readonly string[]): Promise<void>;
  /** Starts an export; without one, lines are only written. */
  start(port: number | string, options?: BedOptions): JournalExport;
  /** Ends the export in order, or as if it were killed. */
  stop(graceMs?: number): Promise<void>;
  abandon(): void;
  collect(options?: CollectorOptions): Promise<Collector>;
  /** All lines of the journal's folder. */
  lines(): string[];
}

/** Makes a bed for one test. */
export async function createExportBed(
  t: TestContext,
  options: Partial<JournalOptions> = {},
): Promise<ExportBed> {
  const under = createBed(t);
  const log: string[] = [];
  const collectors: Collector[] = [];
  let running: JournalExport | undefined;
  const write: Log = (code, fields = {}) => {
    if (code !== 'export.started')
      log.push(`${LOG_EVENTS[code].level} ${code} ${JSON.stringify(fields)}`);
  };
  const bed: ExportBed = {
    dir: under.dir,
    log,
    journal: await under.open(options),
    async reopen(more = {}) {
      await bed.journal.close();
      bed.journal = await under.open({ ...options, ...more });
    },
    async write(...lines) {
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
      await bed.journal.append(bytes, bytes.length);
      running?.push(bytes, bytes.length, bed.journal.position);
    },
    start(port, { files = NO_FILES, ...more } = {}) {
      const { dir } = under;
      const onProblem = ({ message }: Error) =>
        write('export.credentials_invalid', { error: message });
      const prepared = prepareExport({
        version: '1.2.3',
        insecure: false,
        credentials: new CredentialFiles(files, onProblem),
        compression: 'gzip',
        endpoint: typeof port === 'number' ? `http://127.0.0.1:${port}` : port,
        timeoutMs: 10_000,
        batchRecords: 2000,
        batchBytes: 1 << 20,
        batchAgeMs: 20,
        catchUpRate: 0,
        rules: [],
        mayBeUnsynced: false,
        log: write,
        ...more,
      });
      const [first] = listSegmentsSync(dir);
      running = prepared.start({
        dir,
        end: bed.journal.position,
        oldest: first && { segment: first.number, offset: 0 },
        findOldest: () => oldestPosition(dir),
        readLines: (from) => readLines(dir, from),
        readText: (from) => readText(dir, from),
      });
      return running;
    },
    async stop(graceMs = 5000) {
      await running?.close(graceMs);
      running = undefined;
    },
    abandon() {
      // What it sends from now on does not move the saved cursor.
      abandoned.push(running);
      running = undefined;
    },
    async collect(more = {}) {
      const collector = await startCollector(more);
      collectors.push(collector);
      return collector;
    },
    lines: () => linesOf(under.dir),
  };
  const abandoned: (JournalExport | undefined)[] = [];
  t.after(async () => {
    for (const one of [...abandoned, running]) await one?.close(0);
    for (const collector of collectors) collector.kill();
    await bed.journal.close();
  });
  return bed;
}
