import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import type { Range } from '../ranges.ts';
import { HookWords } from './seen/hook-words.ts';
import type { Piece, SeenNumbers } from './seen/numbers.ts';

/** Numbers of a CPU that ascend by one, and the row of the first one. */
export interface RangeAt extends Range {
  readonly row: number;
}

/** Returns the query for the numbers of execs in the order of their rows. */
function numbersOf(lines: string): string {
  return `SELECT audited.rowid::DOUBLE, boot, hook, cpu, seq::DOUBLE FROM ${lines}
    WHERE is_exec AND boot IS NOT NULL AND hook IS NOT NULL AND cpu IS NOT NULL AND seq > 0`;
}

/**
 * Returns contiguous ranges of numbers by `boot/hook/cpu`, divided at each of the rows `starts`; few
 * if all is well. What was seen while it was read is not read again. A window of SQL takes 0.6 s and
 * 230 MB more for a million execs, because it sorts them.
 */
export async function rangesOf(
  connection: DuckDBConnection,
  starts: readonly number[],
  seen: SeenNumbers | undefined,
): Promise<Map<string, RangeAt[]>> {
  const all = new Ranges(starts);
  const others = 'audited SEMI JOIN other_lines ON audited.rowid = other_lines."row"';
  const sql = seen === undefined ? numbersOf('audited') : `${numbersOf(others)} ORDER BY 1`;
  const pieces = seen?.pieces.values();
  let piece = pieces?.next().value;
  let words: HookWords | undefined;
  let hook = '';
  for await (const chunk of await connection.stream(sql)) {
    const { rows, boots, hooks, cpus, seqs } = columnsOf(chunk);
    for (let at = 0; at < chunk.rowCount; at++) {
      const row = rows[at] as number;
      for (; piece !== undefined && piece.row < row; piece = pieces?.next().value) all.add(piece);
      if (words === undefined || !words.are(boots, hooks, at)) {
        words = new HookWords(boots, hooks, at);
        hook = words.key;
      }
      all.add({ hook, cpu: cpus[at] as number, row, first: seqs[at] as number, count: 1 });
    }
  }
  for (; piece !== undefined; piece = pieces?.next().value) all.add(piece);
  return all.byCpu;
}

/** The values as DuckDB has them in memory; none is null. */
interface Columns {
  readonly rows: Float64Array;
  /** four words each */
  readonly boots: Int32Array;
  /** two words each */
  readonly hooks: Int32Array;
  readonly cpus: Int32Array;
  readonly seqs: Float64Array;
}

function columnsOf(chunk: DuckDBDataChunk): Columns {
  const rows = chunk.rowCount;
  const raw = (column: number, width: number) => {
    const vector = duckdb.data_chunk_get_vector(chunk.chunk, column);
    return duckdb.vector_get_data(vector, rows * width);
  };
  const [row, boot, hook, cpu, seq] = [raw(0, 8), raw(1, 16), raw(2, 8), raw(3, 4), raw(4, 8)];
  return {
    rows: new Float64Array(row.buffer, row.byteOffset, rows),
    boots: new Int32Array(boot.buffer, boot.byteOffset, 4 * rows),
    hooks: new Int32Array(hook.buffer, hook.byteOffset, 2 * rows),
    cpus: new Int32Array(cpu.buffer, cpu.byteOffset, rows),
    seqs: new Float64Array(seq.buffer, seq.byteOffset, rows),
  };
}

/** Joins pieces, which come in the order of their rows. */
class Ranges {
  readonly #starts: readonly number[];
  readonly #cpus = new Map<string, Map<number, Numbers>>();
  #run = 0;
  #hook = '';
  #ofHook = new Map<number, Numbers>();

  constructor(starts: readonly number[]) {
    this.#starts = starts;
  }

  get byCpu(): Map<string, RangeAt[]> {
    const all = [...this.#cpus].flatMap(([hook, cpus]) =>
      [...cpus].map(([cpu, { ranges }]) => [`${hook}/${cpu}`, ranges] as const),
    );
    return new Map(all.sort(([, [a]], [, [b]]) => (a?.row ?? 0) - (b?.row ?? 0)));
  }

  add(piece: Piece): void {
    const { hook, cpu, row } = piece;
    while (row >= (this.#starts[this.#run] ?? Number.POSITIVE_INFINITY)) this.#run += 1;
    if (hook !== this.#hook) {
      this.#hook = hook;
      this.#ofHook = this.#cpus.get(hook) ?? new Map();
      this.#cpus.set(hook, this.#ofHook);
    }
    const numbers = this.#ofHook.get(cpu) ?? new Numbers();
    this.#ofHook.set(cpu, numbers);
    numbers.add(piece, this.#run);
  }
}

/** The numbers of one CPU. */
class Numbers {
  readonly ranges: Growing[] = [];
  /** the ranges of the run, by how far their numbers are ahead of their places */
  readonly #ofRun = new Map<number, Growing>();
  #run = 0;
  #count = 0;
  #ahead = 0;
  #range: Growing | undefined;

  /**
   * A number that is not the next one begins another range. If those behind it are where they were
   * expected, they belong to the range before, so that one wrong number is one finding. `run` is how
   * many of the starts are before it.
   */
  add({ row, first, count }: Piece, run: number): void {
    const last = first + count - 1;
    const ahead = last - (this.#count + count);
    this.#count += count;
    if (run !== this.#run) {
      this.#run = run;
      this.#range = undefined;
      this.#ofRun.clear();
    }
    if (this.#range === undefined || ahead !== this.#ahead) {
      this.#ahead = ahead;
      this.#range = this.#ofRun.get(ahead);
    }
    if (this.#range === undefined) {
      this.#range = { row, first, last };
      this.#ofRun.set(ahead, this.#range);
      this.ranges.push(this.#range);
    }
    this.#range.last = last;
  }
}

interface Growing {
  readonly row: number;
  readonly first: number;
  last: number;
}
