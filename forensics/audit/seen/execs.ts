import type { DuckDBConnection } from '@duckdb/node-api';
import { makeRowTable } from '../../exec-lines/append.ts';
import type { ExecColumns } from '../../exec-lines/exec-columns.ts';
import type { ExecWatcher } from '../../exec-lines/fill-table.ts';
import { SeenCauses } from './causes/causes.ts';
import { SeenNumbers } from './numbers.ts';

/**
 * What the audit learns of ordinary execs while they are read, so that it need not fetch it from DuckDB
 * again.
 */
export class SeenExecs implements ExecWatcher {
  #numbers = new SeenNumbers();
  #causes: SeenCauses | undefined;
  /** the rows of all other lines, which DuckDB alone has read */
  #others: number[] = [];
  #rows = 0;

  get numbers(): SeenNumbers {
    return this.#numbers;
  }

  /** The rows whose links are not clear, those of other lines included; undefined: no link is. */
  get unclear(): readonly number[] | undefined {
    const unclear = this.#causes?.unclear;
    return unclear && [...unclear, ...this.#others].sort((a, b) => a - b);
  }

  begin(): void {
    this.#numbers = new SeenNumbers();
    this.#causes = new SeenCauses();
    this.#others = [];
    this.#rows = 0;
  }

  add(columns: ExecColumns, otherRows: readonly number[]): void {
    let from = 0;
    for (const row of [...otherRows, columns.rows]) {
      this.#numbers.add(columns, this.#rows, from, row);
      this.#causes?.add(columns, this.#rows, from, row);
      if (row < columns.rows) this.#others.push(this.#rows + row);
      from = row + 1;
    }
    this.#rows += columns.rows;
  }

  /** Makes the table `other_lines` of the lines that were not seen here. */
  async makeTable(connection: DuckDBConnection): Promise<void> {
    await makeRowTable(connection, 'other_lines', this.#others);
  }
}
