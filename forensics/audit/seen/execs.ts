import type { DuckDBConnection } from '@duckdb/node-api';
import { makeRowTable } from '../../exec-lines/append.ts';
import type { ExecColumns } from '../../exec-lines/exec-columns.ts';
import type { ExecWatcher } from '../../exec-lines/fill-table.ts';
import { SeenLinks } from './links.ts';
import { SeenNumbers } from './numbers.ts';

/**
 * What the audit learns of ordinary execs while they are read. What it finds right here, DuckDB need not
 * join or sort again.
 */
export class SeenExecs implements ExecWatcher {
  #links = new SeenLinks();
  #numbers = new SeenNumbers();
  /** the rows of all other lines, which DuckDB alone has read */
  #others: number[] = [];
  #rows = 0;

  get links(): SeenLinks {
    return this.#links;
  }

  get numbers(): SeenNumbers {
    return this.#numbers;
  }

  begin(): void {
    this.#links = new SeenLinks();
    this.#numbers = new SeenNumbers();
    this.#others = [];
    this.#rows = 0;
  }

  add(columns: ExecColumns, otherRows: readonly number[]): void {
    let from = 0;
    for (const row of [...otherRows, columns.rows]) {
      this.#links.add(columns, this.#rows, from, row);
      this.#numbers.add(columns, this.#rows, from, row);
      if (row < columns.rows) this.#others.push(this.#rows + row);
      from = row + 1;
    }
    this.#rows += columns.rows;
  }

  /**
   * Makes the tables `other_lines`, of the lines that were not seen here, and `open_lines`, of these
   * and of the execs whose links are left to DuckDB.
   */
  async makeTables(connection: DuckDBConnection): Promise<void> {
    await makeRowTable(connection, 'other_lines', this.#others);
    await makeRowTable(connection, 'open_lines', [...this.#others, ...this.#links.open]);
  }
}
