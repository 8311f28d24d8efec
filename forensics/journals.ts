import { existsSync, mkdtempSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import { literal, scanSql } from './columns.ts';
import { ForensicsError } from './errors.ts';
import { findFiles } from './inputs/find.ts';
import { readLines } from './inputs/lines.ts';
import { convertOtlp, isOtlp } from './inputs/otlp.ts';
import { viewsSql } from './views.ts';

/** How much is kept in memory before it is written to a temporary file. */
const MEMORY_LIMIT = '2GiB';
/** A zstd frame without content is not larger. */
const EMPTY_MAX = 32;
/** A segment that was compressed in the meantime has its other name. */
const TRIES = 3;

/** A file of records. */
export interface JournalFile {
  /** the path as the user named it */
  readonly path: string;
  /** the file that is read: the given one, or one that was made from it */
  readonly source: string;
  readonly journal: string;
  /** the line number of each record in the given file, if the lines differ */
  readonly lines: readonly number[] | undefined;
}

/** The place of a file's rows in a scanned table, and how many of them are not records. */
export interface Extent {
  readonly first: number;
  readonly count: number;
  readonly skipped: number;
}

/** The differences between a scan and the view `records`. */
export interface ScanOptions {
  /** SQL types of columns that differ */
  readonly types?: Readonly<Record<string, string>>;
  /** an expression that other expressions use, computed once */
  readonly first?: string;
}

/** A record's line and its place. */
export interface Entry {
  readonly row: number;
  readonly file: JournalFile;
  /** counted from 1 */
  readonly line: number;
  readonly text: string;
  /** Whether a line feed ends it. */
  readonly whole: boolean;
}

/** Journals in DuckDB: tables of what a command needs, and views for everybody. */
export class Journals {
  /** in the order of their rows in every table */
  files: readonly JournalFile[] = [];
  /** by file, after a scan */
  extents: readonly Extent[] = [];
  /** remarks on the inputs, apart from lines that cannot be read */
  readonly notes: string[] = [];
  readonly #paths: readonly string[];
  readonly #directory: string;
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;

  private constructor(
    paths: readonly string[],
    directory: string,
    instance: DuckDBInstance,
    connection: DuckDBConnection,
  ) {
    this.#paths = paths;
    this.#directory = directory;
    this.#instance = instance;
    this.#connection = connection;
  }

  /**
   * Opens files, folders and globs. The caller must close it, because it may have temporary files.
   */
  static async open(paths: readonly string[]): Promise<Journals> {
    const directory = mkdtempSync(join(realpathSync(tmpdir()), 'vcml-'));
    const instance = await DuckDBInstance.create(':memory:', {
      memory_limit: MEMORY_LIMIT,
      temp_directory: join(directory, 'spilled'),
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    });
    const journals = new Journals(paths, directory, instance, await instance.connect());
    try {
      await journals.rows('SET enable_progress_bar = true');
      await journals.rows('SET enable_progress_bar_print = false');
      await journals.#find();
    } catch (error) {
      journals.close();
      throw error;
    }
    return journals;
  }

  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /**
   * Runs a statement and returns its rows as arrays of plain values; 64-bit integers are bigints.
   */
  async rows(sql: string, parameters: readonly DuckDBValue[] = []): Promise<DuckDBValue[][]> {
    const result = await this.#connection.runAndReadAll(sql, [...parameters]);
    return result.getRows();
  }

  /** Returns the integers of a query with one column; there may be millions. */
  async integers(sql: string): Promise<number[]> {
    const found: number[] = [];
    for await (const chunk of await this.#connection.stream(sql)) {
      const column = chunk.getColumnVector(0);
      for (let i = 0; i < chunk.rowCount; i += 1) found.push(Number(column.getItem(i)));
    }
    return found;
  }

  /** Denies DuckDB access to anything but the inputs from now on. */
  async confine(): Promise<void> {
    await this.rows(`SET allowed_paths = [${this.#sources().map(literal).join(', ')}]`);
    await this.rows('SET enable_external_access = false');
  }

  /** The connection, for statements that return more than rows. */
  get connection(): DuckDBConnection {
    return this.#connection;
  }

  /**
   * Makes a table of expressions over columns of `records`, after `file` as a number and
   * `readable`. It has one row for each line that is not blank, in order, so that `rowid` is the
   * line's place.
   */
  async scan(
    table: string,
    columns: readonly string[],
    expressions = columns,
    { types = {}, first = 'NULL' }: ScanOptions = {},
  ): Promise<void> {
    const select = expressions.map((one) => (/^\w+$/.test(one) ? `"${one}"` : one));
    for (let tries = 1; ; tries += 1) {
      try {
        await this.rows(
          `CREATE OR REPLACE TABLE ${table} AS
           SELECT ${['file::journal_file AS file', 'id IS NOT NULL AS readable', ...select].join(', ')}
           FROM (SELECT *, ${first}
             FROM (${scanSql(this.#sources(), [...new Set(['id', ...columns])], types)}))`,
        );
        break;
      } catch (error) {
        if (tries === TRIES || this.#sources().every((path) => existsSync(path))) throw error;
        await this.#find();
      }
    }
    const rows = await this.rows(
      `SELECT enum_code(file), min(rowid), count(*), count(*) FILTER (NOT readable)
       FROM ${table} GROUP BY file`,
    );
    const known = new Map(rows.map(([file, ...numbers]) => [Number(file), numbers.map(Number)]));
    this.extents = this.files.map((_, file) => {
      const [first = 0, count = 0, skipped = 0] = known.get(file) ?? [];
      return { first, count, skipped };
    });
  }

  /** Yields the lines of these rows of the last scan, which must ascend. */
  async *entries(rows: readonly number[]): AsyncGenerator<Entry> {
    let at = 0;
    for (const [index, { first, count }] of this.extents.entries()) {
      const from = at;
      while (at < rows.length && (rows[at] ?? 0) < first + count) at += 1;
      const file = this.files[index];
      if (file === undefined || at === from) continue;
      yield* entriesOf(file, first, rows.slice(from, at));
    }
  }

  /** The compressed files from which the last scan could read nothing. */
  get damaged(): string[] {
    return this.files
      .filter(({ path }, index) => path.endsWith('.zst') && this.extents[index]?.count === 0)
      .map(({ path }) => path)
      .filter((path) => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > EMPTY_MAX);
  }

  /**
   * The file of a row of the last scan, and the row's place in it among lines that are not blank.
   */
  placeOf(row: number): { readonly file: JournalFile; readonly place: number } {
    const index = this.extents.findIndex(({ first, count }) => row >= first && row < first + count);
    const file = this.files[index];
    if (file === undefined) throw new RangeError(`no file has the row ${row}`);
    return { file, place: row - (this.extents[index]?.first ?? 0) };
  }

  async #find(): Promise<void> {
    const delivered = new Map<string, number>();
    const files: JournalFile[] = [];
    for (const { path, journal } of findFiles(this.#paths)) {
      const whole = await this.#opened(path, journal, delivered, files.length);
      files.push(whole);
    }
    this.files = files;
    const sources = this.#sources().map(literal);
    await this.rows('DROP TYPE IF EXISTS journal_file');
    await this.rows(`CREATE TYPE journal_file AS ENUM (${sources.join(', ')})`);
    const shown = new Map(
      files.filter(({ lines }) => lines !== undefined).map(({ source, path }) => [source, path]),
    );
    for (const sql of viewsSql(this.#sources(), shown)) await this.rows(sql);
  }

  async #opened(
    path: string,
    journal: string,
    delivered: Map<string, number>,
    number: number,
  ): Promise<JournalFile> {
    const source = resolve(path);
    try {
      if (!(await isOtlp(path))) return { path, source, journal, lines: undefined };
    } catch (cause) {
      throw new ForensicsError('unreadable', `${path}: ${(cause as Error).message}`, { cause });
    }
    const target = join(this.#directory, `${number}.jsonl`);
    rmSync(target, { force: true });
    const { lines, others, replays } = await convertOtlp(path, target, delivered);
    if (others > 0) this.notes.push(`${path}: ${others} log records are no vCML records`);
    if (replays > 0) this.notes.push(`${path}: ${replays} records came again, and count once`);
    return { path, source: target, journal, lines };
  }

  #sources(): string[] {
    return this.files.map(({ source }) => source);
  }
}

async function* entriesOf(
  file: JournalFile,
  first: number,
  rows: readonly number[],
): AsyncGenerator<Entry> {
  const source = existsSync(file.source) ? file.source : `${file.source}.zst`;
  const places = rows.map((row) => row - first);
  let at = 0;
  for await (const { text, number, whole } of readLines(source, places)) {
    const row = rows[at] ?? 0;
    const line = file.lines?.[places[at] ?? 0] ?? number;
    at += 1;
    yield { row, file, line, text, whole };
  }
}
