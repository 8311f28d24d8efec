import type { BatchColumn, ExecScanner } from './exec-scanner.ts';

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

/** The columns that are kept, and the bytes of one value. */
const WIDTHS = {
  id: 16,
  parent: 16,
  hasParent: 1,
  boot: 16,
  bootTime: 8,
  hook: 8,
  seq: 8,
  wall: 8,
  age: 8,
  cpu: 4,
  resource: 4,
} as const satisfies Partial<Record<BatchColumn, number>>;
const COLUMNS = Object.entries(WIDTHS) as [keyof typeof WIDTHS, number][];

/** Collects the rows of a file; a row that is skipped keeps zeros. */
export class ExecColumnsBuilder {
  #rows = 0;
  #room = 0;
  readonly #columns = new Map(COLUMNS.map(([name]) => [name, new Uint8Array()]));

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
    for (const [name, width] of COLUMNS) {
      const batch = scanner.column(name).subarray(0, rows * width);
      this.#columns.get(name)?.set(batch, this.#rows * width);
    }
    this.#rows += rows;
  }

  end(): ExecColumns {
    const buffers = COLUMNS.map(([name]) => [name, this.#columns.get(name)?.buffer]);
    return { rows: this.#rows, ...Object.fromEntries(buffers) };
  }

  /** Moves the columns to a larger room if necessary, so that the old memory is free at once. */
  #reserve(rows: number): void {
    if (this.#rows + rows <= this.#room) return;
    this.#room = Math.max(ROWS_FIRST, 2 * this.#room);
    for (const [name, width] of COLUMNS) {
      const { buffer } = this.#columns.get(name) ?? new Uint8Array();
      this.#columns.set(name, new Uint8Array(buffer.transfer(width * this.#room)));
    }
  }
}
