import { existsSync } from 'node:fs';
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import { COLUMNS, literal, scanSql } from './columns.ts';
import type { AgentsAnswer } from './completeness/node.ts';
import { type Engine, integersOf, openEngine, threadsFor } from './engine.ts';
import { eraseRows, refuseRows } from './erase-rows.ts';
import { ForensicsError } from './errors.ts';
import { fillTable, isForThreads, type LineTable, prepareFor } from './exec-lines/fill-table.ts';
import { type Extent, extentsOf, suspectsOf, unreadIn } from './extents.ts';
import { rowsAgain } from './inputs/again.ts';
import { type Answers, type Found, type Problem, problemsText } from './inputs/find.ts';
import { openInputs } from './inputs/open.ts';
import { byFirstTime } from './inputs/order.ts';
import type { Source } from './inputs/source.ts';
import { Temporary } from './inputs/temporary.ts';
import type { ScanOptions } from './scan-options.ts';
import type { WithoutId } from './select/of-user.ts';
import { viewsSql } from './views.ts';

/** A segment that was compressed in the meantime has its other name. */
const TRIES = 3;
/** For less text than this, starting threads costs more than they save. */
const THREADS_FROM = 16 << 20;

/** A record's line and its place. */
export interface Entry {
  readonly row: number;
  readonly file: Source;
  /** counted from 1 */
  readonly line: number;
  readonly text: string;
  /** Whether a line feed ends it. */
  readonly whole: boolean;
}

/** Journals in DuckDB: tables of what a command needs, and views for everybody. */
export class Journals {
  /** in the order of their rows in every table */
  files: readonly Source[] = [];
  /** by file, after a scan */
  extents: readonly Extent[] = [];
  /** inputs that cannot be read at all */
  problems: readonly Problem[] = [];
  /** remarks on the inputs that say nothing about what is missing */
  notes: readonly string[] = [];
  /** how complete the memory is that the answer comes from; undefined: nobody has judged it yet */
  completeness: string | undefined;
  /** whose answers the inputs are; undefined: they are not those of agents */
  agents: AgentsAnswer | undefined;
  /** the entries without an id in a store that has sent a part of its records; undefined: it is none */
  withoutId: WithoutId | undefined;
  /** how much of the lines of an answer was fetched, in percent; 0: none are being fetched */
  fetched = 0;
  readonly #inputs: readonly string[] | Answers;
  readonly #temporary: Temporary;
  readonly #engine: Engine;
  #isOrdered = false;
  #viewsFrom = '';
  #threadsFrom = THREADS_FROM;
  /** How much of the files was read in threads, from 0 to 1; undefined: DuckDB reads. */
  #share: number | undefined;

  private constructor(inputs: readonly string[] | Answers, temporary: Temporary, engine: Engine) {
    this.#inputs = inputs;
    this.#temporary = temporary;
    this.#engine = engine;
  }

  /**
   * Opens files, folders, globs and streams. What cannot be read is among the problems; throws if
   * nothing can. The caller must close it, because it may have temporary files. From so many bytes of
   * text on, execs are read in threads, which start at once if everything will be read.
   */
  static async open(
    inputs: readonly string[] | Answers,
    threadsFrom = THREADS_FROM,
    temporary = new Temporary(),
    readsAll = false,
  ): Promise<Journals> {
    const journals = new Journals(inputs, temporary, await openEngine(temporary));
    journals.#threadsFrom = threadsFrom;
    try {
      await journals.#open(false, readsAll ? (all) => prepareFor(all, threadsFrom) : undefined);
    } catch (error) {
      journals.close();
      throw error;
    }
    return journals;
  }

  close(): void {
    this.connection.closeSync();
    this.#engine.instance.closeSync();
    this.#temporary.close();
  }

  /**
   * Runs a statement and returns its rows as arrays of plain values; 64-bit integers are bigints.
   */
  async rows(sql: string, parameters: readonly DuckDBValue[] = []): Promise<DuckDBValue[][]> {
    const result = await this.connection.runAndReadAll(sql, [...parameters]);
    return result.getRows();
  }

  /** Returns the integers of a query with one column; there may be millions. */
  integers(sql: string): Promise<number[]> {
    return integersOf(this.connection, sql);
  }

  /** Denies DuckDB access to anything but the inputs from now on. */
  async confine(): Promise<void> {
    await this.rows(`SET allowed_paths = [${this.#sources().map(literal).join(', ')}]`);
    await this.rows('SET enable_external_access = false');
  }

  /** The connection, for statements that return more than rows. */
  get connection(): DuckDBConnection {
    return this.#engine.connection;
  }

  /** Opens another connection, whose queries can be interrupted by themselves. */
  connect(): Promise<DuckDBConnection> {
    return this.#engine.instance.connect();
  }

  /** How much of the current reading or query is done, in percent; 0 or less if that is unknown. */
  get percentage(): number {
    return this.#share === undefined ? this.connection.progress.percentage : 100 * this.#share;
  }

  /** Whether an answer may miss something, because a part of the inputs cannot be read. */
  get isPartial(): boolean {
    if (this.problems.length > 0) return true;
    return this.files.some(({ damage, isUnfinished }, index) => {
      const { skipped = 0 } = this.extents[index] ?? {};
      return damage.length > 0 || skipped > Number(isUnfinished);
    });
  }

  /** Whether the files still have their names. */
  get areThere(): boolean {
    return this.files.every(({ file }) => existsSync(file));
  }

  /** The number of records that the last scan has read, or did not need to. */
  get recordCount(): number {
    const left = this.files.reduce((sum, file) => sum + file.left, 0);
    return this.extents.reduce((sum, one) => sum + one.count - one.skipped - one.again, left);
  }

  /** Whether each record of the files is there once, unless its journal itself repeats it. */
  get isOneJournal(): boolean {
    const [first] = this.files;
    return this.files.every((file) => file.journal === first?.journal && !file.hasLogs);
  }

  /** Returns the path of a new temporary file; throws if there can be none. */
  temporaryFile(): string {
    return this.#temporary.file();
  }

  /** Takes over that files were narrowed to what an answer needs, with remarks about it. */
  async narrowed(notes: readonly string[]): Promise<void> {
    this.notes = [...this.notes, ...notes];
    await this.#define(this.files);
  }

  /**
   * Makes a table of expressions over columns of `records`, after `file` as a number and
   * `readable`. It has one row for each line that is not blank, in order, so that `rowid` is the
   * line's place. A line that is no record (record/read.ts) is not readable, whatever DuckDB makes of it.
   * Of a record that several inputs have, each later row is null, and so is `readable`. Every line that is there has its row: files that DuckDB reads otherwise are copied
   * into a form that it reads. Returns whether the watcher of `execs` has seen every row as it is now.
   */
  async scan(
    table: string,
    columns: readonly string[],
    expressions = columns,
    { types = {}, first = 'NULL', execs }: ScanOptions = {},
  ): Promise<boolean> {
    const select = expressions.map((one) => (/^\w+$/.test(one) ? `"${one}"` : one));
    const selectFrom = (paths: readonly string[], ...more: string[]) =>
      `SELECT ${[...more, 'id IS NOT NULL AS readable', ...this.#sameId(), ...select].join(', ')}
      FROM (SELECT *, ${first} FROM (${scanSql(paths, [...new Set(['id', ...columns])], types)}))`;
    const make = () =>
      `CREATE OR REPLACE TABLE ${table} AS ${selectFrom(this.#sources(), 'file::journal_file AS file')}`;
    const hasSameId = this.#sameId().length > 0;
    const filling = { name: table, hasSameId, selectFrom };
    let isFilled = execs !== undefined && (await this.#tryFill(make(), { ...filling, execs }));
    for (let tries = 1; ; isFilled = false) {
      const error = isFilled ? undefined : await this.#tryScan(make());
      if (error === undefined) {
        this.extents = await extentsOf(this, table);
        if (await this.#isWhole(table))
          return isFilled && this.extents.every(({ again }) => again === 0);
      } else if (this.areThere) await this.#mend(error);
      else {
        if (tries === TRIES) throw error;
        tries += 1;
        await this.#open(true);
      }
    }
  }

  /** Yields the lines of these rows of the last scan, which must ascend. */
  async *entries(rows: readonly number[]): AsyncGenerator<Entry> {
    let at = 0;
    try {
      for (const [index, { first, count }] of this.extents.entries()) {
        const from = at;
        while (at < rows.length && (rows[at] ?? 0) < first + count) at += 1;
        const file = this.files[index];
        if (file === undefined || at === from) continue;
        const places = rows.slice(from, at).map((row) => row - first);
        let next = 0;
        for await (const { text, number, whole } of file.linesAt(places)) {
          this.fetched = (100 * (from + next)) / rows.length;
          yield { row: (places[next] ?? 0) + first, file, line: number, text, whole };
          next += 1;
        }
      }
    } finally {
      this.fetched = 0;
    }
  }

  /**
   * The file of a row of the last scan, and the row's place in it among lines that are not blank.
   */
  placeOf(row: number): { readonly file: Source; readonly place: number } {
    const index = this.extents.findIndex(({ first, count }) => row >= first && row < first + count);
    const file = this.files[index];
    if (file === undefined) throw new RangeError(`no file has the row ${row}`);
    return { file, place: row - (this.extents[index]?.first ?? 0) };
  }

  /**
   * Makes the views of records ready for which a condition holds: every line of the inputs has been
   * looked for, and each record is once.
   */
  async readyViews(condition = 'true'): Promise<void> {
    await this.scan('counted', [], []);
    if (this.extents.some(({ again, refused }) => again > 0 || refused > 0)) {
      await this.scan('every', COLUMNS);
      this.#viewsFrom = 'SELECT * REPLACE (file::VARCHAR AS file) FROM every WHERE readable';
    }
    await this.makeViews(condition);
  }

  /** Makes the views for expressions over their columns. Most commands do without, and start faster. */
  async makeViews(condition = 'true'): Promise<void> {
    const copies = this.files.filter(({ isOriginal, isFetched }) => !isOriginal || isFetched);
    const shown = new Map(this.files.map(({ file, path }) => [file, path]));
    const names = copies.length > 0 ? shown : new Map<string, string>();
    for (const sql of viewsSql(this.#viewsFrom, names, condition)) await this.rows(sql);
  }

  /** Where others record, a segment can get its other name during every scan, unless it is kept. */
  async #open(isKept: boolean, onFound?: (found: readonly Found[]) => void): Promise<void> {
    const { sources, problems, notes } = await openInputs(this.#inputs, this.#temporary, onFound);
    // One that is gone by now is found under its other name when the scan fails.
    if (isKept) await Promise.allSettled(sources.map((source) => source.keep()));
    this.problems = problems;
    this.notes = [...notes, ...(this.#temporary.why === undefined ? [] : [this.#temporary.why])];
    await this.#define(sources);
  }

  /** Makes these the files of every later scan. */
  async #define(files: readonly Source[]): Promise<void> {
    this.files = files;
    if (files.length === 0) throw new ForensicsError('unreadable', problemsText(this.problems));
    await this.rows(threadsFor(files));
    await this.rows('DROP TYPE IF EXISTS journal_file CASCADE');
    await this.rows(
      `CREATE TYPE journal_file AS ENUM (${this.#sources().map(literal).join(', ')})`,
    );
    this.#viewsFrom = scanSql(this.#sources(), COLUMNS);
  }

  /** Returns false if DuckDB must make the table alone; it meets every error as well. */
  async #tryFill(sql: string, table: LineTable): Promise<boolean> {
    if (!isForThreads(this.files, this.#threadsFrom)) return false;
    try {
      for (const file of this.files) file.measure();
      await this.rows(`${sql} LIMIT 0`);
      return await fillTable(table, {
        connection: this.connection,
        files: this.files,
        temporaryFile: () => this.#temporary.file(),
        onProgress: (share) => {
          this.#share = share;
        },
      });
    } catch {
      return false;
    } finally {
      this.#share = undefined;
    }
  }

  /** Returns the error if DuckDB cannot read the files, or if one is gone. */
  async #tryScan(sql: string): Promise<Error | undefined> {
    try {
      for (const file of this.files) file.measure();
      const scanned = this.rows(sql);
      // The second reading is at the same time, because the files are in the cache now.
      const counted = (async () => {
        for (const file of this.files) await file.count();
      })();
      await Promise.allSettled([scanned, counted]);
      await scanned;
      await counted;
      for (const file of this.files) file.assertOnlyGrown();
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }

  /** A column by which records with the same id are found, where several inputs may have them. */
  #sameId(): string[] {
    return this.isOneJournal ? [] : ['hash(id) AS same_id'];
  }

  /** Makes copies of the files with which DuckDB fails; throws if it is none of them. */
  async #mend(error: Error): Promise<void> {
    let isMended = false;
    for (const file of this.files) {
      if (file.hasRecordsOnly) continue;
      const sql = `SELECT count(id) FROM (${scanSql([file.file], ['id'])})`;
      const isFailing = await this.rows(sql).then(
        () => false,
        () => true,
      );
      if (isFailing) isMended = await this.#copied(file, () => file.mend());
    }
    if (!isMended) throw error;
    await this.#define(this.files);
  }

  /**
   * Whether the last scan has every line of every file, and each record once. If not, what it needs
   * for that has been done, and the scan must be repeated.
   */
  async #isWhole(table: string): Promise<boolean> {
    let isChanged = false;
    const refused: number[][] = [];
    for (const [index, file] of this.files.entries()) {
      const { first = 0, count = 0, skipped = 0 } = this.extents[index] ?? {};
      if (file.hasRecordsOnly) continue;
      if (!(await file.hasLines(count))) isChanged = await this.#copied(file, () => file.mend());
      else {
        const unread = skipped === 0 ? [] : await unreadIn(this, table, { first, count });
        if (await file.hasRecordAt(unread))
          isChanged = await this.#copied(file, () => file.copyRecords());
        else refused[index] = await file.refused(new Set(unread));
      }
    }
    if (isChanged) await this.#define(this.files);
    else this.extents = await refuseRows(this, table, refused);
    return !isChanged && (await this.#isOnce(table));
  }

  /**
   * Makes the later rows of records that several inputs have null. Returns false if the files were
   * put in another order for that, and the scan must be repeated.
   */
  async #isOnce(table: string): Promise<boolean> {
    if (this.#sameId().length === 0) return true;
    const suspects = await suspectsOf(this, table);
    const again = await rowsAgain(suspects, (rows) => this.entries(rows));
    if (again.length === 0) return true;
    if (!this.#isOrdered) {
      // Of two pulls, the one that begins earlier comes first, so that numbers ascend.
      this.#isOrdered = true;
      const ordered = await byFirstTime(this.files);
      if (ordered.some((file, index) => file !== this.files[index])) {
        await this.#define(ordered);
        return false;
      }
    }
    await eraseRows(this.connection, table, again, 'NULL');
    this.extents = this.extents.map((extent) => ({
      ...extent,
      again: again.filter((row) => row >= extent.first && row < extent.first + extent.count).length,
    }));
    return true;
  }

  /** Copies a file, or gives it up if that fails; returns true. */
  async #copied(file: Source, copy: () => Promise<void>): Promise<true> {
    try {
      await copy();
    } catch (error) {
      this.files = this.files.filter((one) => one !== file);
      this.problems = [...this.problems, { path: file.path, why: (error as Error).message }];
    }
    return true;
  }

  #sources(): string[] {
    return this.files.map(({ file }) => file);
  }
}
