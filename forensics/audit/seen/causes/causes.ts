import { randomFillSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecColumns } from '../../../exec-lines/exec-columns.ts';
import { BUILT } from '../../../installed.ts';
import { SLACK_US } from '../../line-rules.ts';

/** The WebAssembly that `make build` makes of causes.c. */
const CAUSES = join(BUILT, 'causes.wasm');
/** The rows of a batch, and the bytes of one value of each column, in the order of causes.c. */
const ROWS = 8192;
const COLUMNS = { id: 16, parent: 16, boot: 16, bootTime: 8, age: 8 } as const;

/** So many execs are kept at most, in 0.7 GB; DuckDB can join more with the memory that there is. */
const EXECS_MAX = 12_000_000;

/** The calls of causes.c; positions are bytes of its memory. */
interface Calls {
  readonly memory: WebAssembly.Memory;
  batchAt(): number;
  begin(a: number, b: number, c: number, d: number, slackUs: number): number;
  add(rows: number): number;
  hasRepeats(): number;
}

/**
 * Finds the causes of ordinary execs among those that are before them, in WebAssembly: that takes a third
 * of the CPU of DuckDB's join, which then judges only what is not clear.
 */
export class SeenCauses {
  /** undefined: there are too many execs */
  #calls: Calls | undefined;
  /** effects whose cause is missing, or breaks a rule, or is behind them */
  readonly #unclear: number[] = [];
  #execs = 0;

  constructor() {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(CAUSES)));
    const calls = instance.exports as unknown as Calls;
    const [a = 0, b = 0, c = 0, d = 0] = randomFillSync(new Int32Array(4));
    if (calls.begin(a, b, c, d, SLACK_US) === 1) this.#calls = calls;
  }

  /** The rows that are not clear; undefined: nothing is, because an id was there twice, or memory ended. */
  get unclear(): readonly number[] | undefined {
    return this.#calls?.hasRepeats() === 0 ? this.#unclear : undefined;
  }

  /** Takes the rows `from` up to `to` of a file, which are all execs; `base` is the row of its first line. */
  add(columns: ExecColumns, base: number, from: number, to: number): void {
    this.#execs += to - from;
    if (this.#execs > EXECS_MAX) this.#calls = undefined;
    for (let at = from; at < to && this.#calls !== undefined; at += ROWS) {
      const rows = Math.min(ROWS, to - at);
      const unclearAt = write(this.#calls, columns, at, rows);
      const count = this.#calls.add(rows);
      if (count < 0) this.#calls = undefined;
      else
        for (const row of new Uint32Array(this.#calls.memory.buffer, unclearAt, count))
          this.#unclear.push(base + at + row);
    }
  }
}

/** Writes rows into the batch; returns where it says which of them are not clear. */
function write(calls: Calls, columns: ExecColumns, from: number, rows: number): number {
  const memory = new Uint8Array(calls.memory.buffer);
  let at = calls.batchAt();
  for (const [name, width] of Object.entries(COLUMNS)) {
    const column = columns[name as keyof typeof COLUMNS];
    memory.set(new Uint8Array(column, from * width, rows * width), at);
    at += ROWS * width;
  }
  memory.set(new Uint8Array(columns.hasParent, from, rows), at + 4 * ROWS);
  return at;
}
