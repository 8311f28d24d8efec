import type { Execs } from './exec-lines/fill-table.ts';

/** The differences between a scan and the view `records`. */
export interface ScanOptions {
  /** SQL types of columns that differ */
  readonly types?: Readonly<Record<string, string>>;
  /** an expression that other expressions use, computed once */
  readonly first?: string;
  /** what the table has for execs, if they can be read without DuckDB */
  readonly execs?: Execs;
}
