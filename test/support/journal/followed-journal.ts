import { existsSync } from 'node:fs';
import { JournalReader } from '../../check/read.ts';
import { until } from '../until.ts';

/** One line of a journal, as tests read it; the timestamp is not exact. */
export interface JournalLine {
  readonly id: string;
  readonly timestamp: number;
  readonly actor: {
    readonly pid: number;
    readonly ppid: number;
    readonly uid: number;
    readonly gid: number;
    readonly comm: string;
  };
  readonly action: string;
  readonly object: string;
  readonly permitted_by: string;
  readonly parent_cause: string | null;
  readonly resource: Readonly<Record<string, unknown>>;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** How long a test waits for a record. */
const PATIENCE_MS = 120_000;

/** A journal that is read while it is written. */
export class FollowedJournal {
  readonly lines: string[] = [];
  readonly records: JournalLine[] = [];
  readonly #byMarker = new Map<string, JournalLine[]>();
  readonly #directory: string;
  readonly #reader: JournalReader;

  constructor(directory: string) {
    this.#directory = directory;
    this.#reader = new JournalReader(directory);
  }

  /** Reads what has come; returns all records so far. */
  read(): readonly JournalLine[] {
    if (!existsSync(this.#directory)) return this.records;
    for (const line of this.#reader.lines()) {
      const record = JSON.parse(line) as JournalLine;
      this.lines.push(line);
      this.records.push(record);
      const marker = markerOf(record);
      const same = this.#byMarker.get(marker);
      if (same === undefined) this.#byMarker.set(marker, [record]);
      else same.push(record);
    }
    return this.records;
  }

  /** The records with this marker, in what has been read. */
  withMarker(marker: string): readonly JournalLine[] {
    return this.#byMarker.get(marker) ?? [];
  }

  /** Reads until `find` gives something. */
  async waitFor<T>(
    what: string,
    find: (records: readonly JournalLine[]) => T | undefined,
    timeoutMs = PATIENCE_MS,
  ): Promise<T> {
    return until(`${what} in the journal`, () => find(this.read()), { timeoutMs, intervalMs: 20 });
  }

  /** Reads until the only record with this marker is there; more than one is an error. */
  async marked(marker: string, timeoutMs = PATIENCE_MS): Promise<JournalLine> {
    return this.waitFor(marker, () => onlyOne(this.withMarker(marker), marker), timeoutMs);
  }
}

/** The only record whose arguments, without the program's own name, are `marker`. */
export function findByMarker(
  records: readonly JournalLine[],
  marker: string,
): JournalLine | undefined {
  return onlyOne(
    records.filter((record) => markerOf(record) === marker),
    marker,
  );
}

function onlyOne(records: readonly JournalLine[], marker: string): JournalLine | undefined {
  if (records.length > 1) throw new Error(`${marker}: ${records.length} records`);
  return records[0];
}

/** A marker that distinguishes a test's exec from all others on the machine. */
function markerOf({ attributes }: JournalLine): string {
  const args = attributes['process.command_args'];
  return Array.isArray(args) ? args.slice(1).join(' ') : '';
}
