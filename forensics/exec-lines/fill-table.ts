import { existsSync, writeFileSync } from 'node:fs';
import type { DuckDBConnection } from '@duckdb/node-api';
import { IN_RESOURCE } from '../audit/line-rules.ts';
import { ForensicsError } from '../errors.ts';
import { fileSize } from '../inputs/file-size.ts';
import type { Found } from '../inputs/find.ts';
import type { Source } from '../inputs/source.ts';
import { makeRowTable, type RawColumn, RowAppender } from './append.ts';
import type { ExecColumns } from './exec-columns.ts';
import { OfResources } from './of-resources.ts';
import { prepareThreads, scanInThreads } from './scan-threads.ts';
import { SCANNER } from './scanner-file.ts';

/** A guess at how much text is in a byte of zstd. */
const ZSTD_RATIO = 10;
const CHUNK_ROWS = 2048;

/** What a column of a table has for the exec of a line. */
export type ExecColumn =
  | Exclude<keyof ExecColumns, 'rows' | 'hasParent' | 'resource'>
  /** an SQL expression over what the audit reads of the resource, which returns a UBIGINT */
  | { readonly ofResource: string }
  | 'zero'
  | 'true'
  | 'false'
  | 'null';

/** What a table has for execs that are read without DuckDB. */
export interface Execs {
  /** what its columns behind `file` and `readable` have */
  readonly columns: readonly ExecColumn[];
  /** Whether these must be execs that break no rule of the audit. */
  readonly areOrdinary: boolean;
  readonly watcher?: ExecWatcher;
}

/** Looks at execs while they are read without DuckDB. */
export interface ExecWatcher {
  /** Another reading begins, and what was seen until now counts no more. */
  begin(): void;
  /** Takes the rows of a file, one file after the other; `others` are rows in it that are not there. */
  add(columns: ExecColumns, others: readonly number[]): void;
}

/** A table of lines that is to be filled. */
export interface LineTable {
  readonly name: string;
  readonly execs: Execs;
  /** Whether `same_id` is the first of the columns of `execs`. */
  readonly hasSameId: boolean;
  /** Returns the SELECT of all columns but `file` from these files. */
  selectFrom(paths: readonly string[]): string;
}

/** What fillTable() needs of the journals. */
export interface Filling {
  readonly connection: DuckDBConnection;
  readonly files: readonly Source[];
  /** Returns the path of a new temporary file; throws if there can be none. */
  temporaryFile(): string;
  /** Called with the share of files that were read, from 0 to 1. */
  onProgress(share: number): void;
}

/** Whether files have more text than this, roughly, so that threads pay; throws without a scanner. */
export function isForThreads(
  files: readonly Pick<Source, 'file' | 'isPlain'>[],
  threadsFrom: number,
): boolean {
  const bytes = files.reduce(
    (sum, { file, isPlain }) => sum + (fileSize(file) ?? 0) * (isPlain ? 1 : ZSTD_RATIO),
    0,
  );
  if (bytes < threadsFrom) return false;
  if (existsSync(SCANNER)) return true;
  throw new ForensicsError('unreadable', `there is no ${SCANNER}: run \`make build\``);
}

/** Starts threads for files that will be read as a whole, while these are opened. */
export function prepareFor(found: readonly Found[], threadsFrom: number): void {
  const files = found.flatMap(({ real }) =>
    real === undefined ? [] : [{ file: real, isPlain: !real.endsWith('.zst') }],
  );
  if (isForThreads(files, threadsFrom)) prepareThreads(files.length);
}

/**
 * Fills an empty table with the lines of all files: execs that are written as the agent writes them
 * are read in threads, and only the other lines by DuckDB. Reading a million execs with the columns
 * of the audit costs 3 s of CPU in this way, and 7 s in DuckDB. Returns false if the table was not
 * filled, and DuckDB must read every line.
 */
export async function fillTable(table: LineTable, filling: Filling): Promise<boolean> {
  const { connection, files, onProgress } = filling;
  const appender = await RowAppender.open(connection, table.name);
  const others: Buffer[] = [];
  const otherRows: number[] = [];
  const { areOrdinary } = table.execs;
  const toScan = files.map(({ file, size, isPlain, isSegment, hasOwnText }) => ({
    path: file,
    size,
    isPlain,
    areOrdinary,
    isSegment: areOrdinary && isSegment && hasOwnText,
  }));
  const expressions = table.execs.columns.filter((one) => typeof one === 'object');
  const ofResources = new OfResources(
    connection,
    expressions.map(({ ofResource }) => ofResource),
    IN_RESOURCE,
  );
  let rows = 0;
  try {
    table.execs.watcher?.begin();
    let at = 0;
    for await (const scanned of scanInThreads(toScan)) {
      if (scanned === undefined) return false;
      const { columns, resources } = scanned;
      const derived =
        expressions.length === 0
          ? []
          : await ofResources.columns(resources, columns.resource, columns.rows);
      const raw = columnsOf(table, columns, derived);
      appender.append([fileColumn(at, files.length), ...raw], columns.rows);
      table.execs.watcher?.add(columns, scanned.otherRows);
      files[at]?.counted(scanned.count, scanned.refused);
      if (areOrdinary) files[at]?.audited(scanned);
      if (scanned.others.length > 0) others.push(Buffer.from(scanned.others));
      for (const row of scanned.otherRows) otherRows.push(rows + row);
      rows += columns.rows;
      at += 1;
      release(columns);
      onProgress(at / files.length);
    }
  } finally {
    appender.close();
  }
  if (!(await replaceOthers(table, filling, others, otherRows))) return false;
  if (table.hasSameId) await connection.run(`UPDATE ${table.name} SET same_id = hash(id)`);
  return true;
}

/** Frees memory at once; an audit of 1.6 GB needed 200 MB more when this was left to the collector. */
function release({ rows: _, ...columns }: ExecColumns): void {
  for (const bytes of Object.values(columns)) bytes.transfer(0);
}

/** The numbers of an ENUM take as few bytes as they can. */
function fileColumn(file: number, files: number): RawColumn {
  const width = files <= 255 ? 1 : files <= 65_535 ? 2 : 4;
  const number = width === 1 ? Uint8Array : width === 2 ? Uint16Array : Uint32Array;
  return { bytes: new number(CHUNK_ROWS).fill(file).buffer, width, isConstant: true };
}

function columnsOf(
  { execs, hasSameId }: LineTable,
  columns: ExecColumns,
  derived: readonly RawColumn[],
): RawColumn[] {
  const left = [...derived];
  return [
    TRUE,
    ...(hasSameId ? [ZERO] : []),
    ...execs.columns.map((column) =>
      typeof column === 'object' ? (left.shift() ?? NULL) : rawColumn(column, columns),
    ),
  ];
}

const TRUE: RawColumn = {
  bytes: new Uint8Array(CHUNK_ROWS).fill(1).buffer,
  width: 1,
  isConstant: true,
};
const FALSE: RawColumn = { bytes: new ArrayBuffer(CHUNK_ROWS), width: 1, isConstant: true };
const ZERO: RawColumn = { bytes: new ArrayBuffer(8 * CHUNK_ROWS), width: 8, isConstant: true };
const NULL: RawColumn = {
  bytes: new ArrayBuffer(16 * CHUNK_ROWS),
  width: 16,
  has: new ArrayBuffer(CHUNK_ROWS),
  isConstant: true,
};

function rawColumn(column: Exclude<ExecColumn, object>, columns: ExecColumns): RawColumn {
  switch (column) {
    case 'id':
    case 'boot':
      return { bytes: columns[column], width: 16 };
    case 'parent':
      return { bytes: columns.parent, width: 16, has: columns.hasParent };
    case 'cpu':
      return { bytes: columns.cpu, width: 4 };
    case 'zero':
      return { ...ZERO, width: 4 };
    case 'true':
      return TRUE;
    case 'false':
      return FALSE;
    case 'null':
      return NULL;
    default:
      return { bytes: columns[column], width: 8 };
  }
}

/** Has DuckDB read the lines that were left out; returns false if it sees others than these. */
async function replaceOthers(
  { name, selectFrom }: LineTable,
  { connection, temporaryFile }: Filling,
  others: readonly Buffer[],
  rows: readonly number[],
): Promise<boolean> {
  if (rows.length === 0) return true;
  const path = temporaryFile();
  writeFileSync(path, Buffer.concat(others), { mode: 0o600, flag: 'wx' });
  await makeRowTable(connection, 'other_rows', rows);
  await connection.run(`CREATE OR REPLACE TEMP TABLE others AS ${selectFrom([path])}`);
  const found = await connection.runAndReadAll(
    `SELECT column_name, (SELECT count(*) FROM others) FROM duckdb_columns()
     WHERE table_name = 'others'`,
  );
  const columns = found.getRows();
  if (Number(columns[0]?.[1]) !== rows.length) return false;
  const set = columns.map(([column]) => `"${column}" = other."${column}"`).join(', ');
  await connection.run(
    `UPDATE ${name} SET ${set} FROM (SELECT others.*, other_rows."row" AS at
       FROM others JOIN other_rows ON others.rowid = other_rows.rowid) other
     WHERE ${name}.rowid = other.at`,
  );
  return true;
}
