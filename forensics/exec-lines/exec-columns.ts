import { type ExecScanner, WIDTHS } from './exec-scanner.ts';

const ROWS_FIRST = 32_768;

/** What the rows of one file say; the bytes are as DuckDB keeps such values. */
export interface ExecColumns {
  readonly rows: number;
  /** 16 bytes each */
  readonly id: ArrayBuffer;
  readonly parent: ArrayBuffer;
  /** One byte each: whether there is one. */
  readonly hasParent: ArrayBuffer;
  readonly boot: ArrayBuffer;
  /** 8 bytes each */
  readonly bootTime: ArrayBuffer;
  readonly hook: ArrayBuffer;
  readonly seq: ArrayBuffer;
  /** the distance between the wall clock and the boot clock, in ns */
  readonly wall: ArrayBuffer;
  /** the age of the process, in µs */
  readonly age: ArrayBuffer;
  /** 4 bytes each */
  readonly cpu: ArrayBuffer;
  /** the place of the resource in a list */
  readonly resource: ArrayBuffer;
}

/** The columns of a batch that are kept. */
const NAMES = [
  'id',
  'parent',
  'hasParent',
  'boot',
  'bootTime',
  'hook',
  'seq',
  'wall',
  'age',
  'cpu',
  'resource',
] as const satisfies readonly (keyof ExecColumns)[];

/** Collects the rows of a file; a row that is skipped keeps zeros. */
export class ExecColumnsBuilder {
  #rows = 0;
  #room = 0;
  readonly #columns = new Map(NAMES.map((name) => [name, new Uint8Array()]));

  get rows(): number {
    return this.#rows;
  }

  skip(): void {
    this.#reserve(1);
    this.#rows += 1;
  }

  /** Adds the rows of a batch. */
  add(scanner: ExecScanner): void {
    const { rows } = scanner;
    if (rows === 0) return;
    this.#reserve(rows);
    for (const name of NAMES) {
      const batch = scanner.column(name).subarray(0, rows * WIDTHS[name]);
      this.#columns.get(name)?.set(batch, this.#rows * WIDTHS[name]);
    }
    this.#rows += rows;
  }

  end(): ExecColumns {
    const buffers = NAMES.map((name) => [name, this.#columns.get(name)?.buffer]);
    return { rows: this.#rows, ...Object.fromEntries(buffers) };
  }

  /** Moves the columns to a larger room if necessary, so that the old memory is free at once. */
  #reserve(rows: number): void {
    if (this.#rows + rows <= this.#room) return;
    this.#room = Math.max(ROWS_FIRST, 2 * this.#room);
    for (const name of NAMES) {
      const { buffer } = this.#columns.get(name) ?? new Uint8Array();
      this.#columns.set(name, new Uint8Array(buffer.transfer(WIDTHS[name] * this.#room)));
    }
  }
}
