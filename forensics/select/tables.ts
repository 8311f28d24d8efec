import type { Json } from '../../record/exact-json.ts';
import { literal, timeSql } from '../columns.ts';
import type { Journals } from '../journals.ts';
import { jsonOf } from '../output/rows.ts';

/** The records of an answer in an engine that speaks SQL, with the columns of the view `records`. */
export interface Tables {
  /** a table in SQL */
  readonly records: string;
  readonly dialect: Dialect;
  ask(sql: string): Promise<Answer>;
}

/** What an engine answers to a query. */
export interface Answer {
  readonly columns: readonly string[];
  readonly rows: readonly Json[][];
}

/** What engines call by different names. */
export interface Dialect {
  /** the time at so many Unix nanoseconds */
  time(nanoseconds: string): string;
  /** an integer of more than 64 bits */
  wide(column: string): string;
  /** a wide integer, divided without a rest */
  divided(wide: string, by: bigint): string;
  /** the value in the row before, within a window; NULL in the first one */
  before(column: string): string;
  /** the value in the row with the earliest timestamp */
  earliest(value: string): string;
  text(value: string): string;
  /** a text as the engine quotes it */
  literal(text: string): string;
  /** the join of two tables whose rows may be on several servers */
  readonly join: string;
}

/** Returns the readable records of a scanned table for which a condition holds. */
export function tablesIn(
  { connection }: Pick<Journals, 'connection'>,
  table: string,
  condition = 'true',
): Tables {
  return {
    records: `(SELECT * FROM ${table} WHERE readable AND ${condition})`,
    dialect: {
      time: timeSql,
      wide: (column) => `${column}::HUGEINT`,
      divided: (wide, by) => `((${wide}) // ${by})::BIGINT`,
      before: (column) => `lag(${column})`,
      earliest: (value) => `arg_min(${value}, "timestamp")`,
      text: (value) => `(${value})::VARCHAR`,
      literal,
      join: 'JOIN',
    },
    async ask(sql) {
      const reader = await connection.runAndReadAll(sql);
      return {
        columns: reader.columnNames(),
        rows: reader.getRows().map((row) => row.map(jsonOf)),
      };
    },
  };
}
