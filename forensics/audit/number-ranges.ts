import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import type { Range } from '../ranges.ts';

/** Numbers of a CPU that ascend by one, and the row of the first one. */
export interface RangeAt extends Range {
  readonly row: number;
}

/** The execs in the order of their rows. */
const NUMBERS = `SELECT rowid::DOUBLE, boot, hook, cpu, seq::DOUBLE FROM audited
  WHERE is_exec AND boot IS NOT NULL AND hook IS NOT NULL AND cpu IS NOT NULL AND seq > 0`;

/**
 * Returns contiguous ranges of numbers by `boot/hook/cpu`, divided at each of the rows `starts`; few
 * if all is well. A window of SQL takes 0.6 s and 230 MB more for a million execs, because it sorts them.
 */
export async function rangesOf(
  connection: DuckDBConnection,
  starts: readonly number[],
): Promise<Map<string, RangeAt[]>> {
  const hooks = new Map<string, Hook>();
  let hook: Hook | undefined;
  let run = 0;
  for await (const chunk of await connection.stream(NUMBERS)) {
    const columns = columnsOf(chunk);
    for (let at = 0; at < chunk.rowCount; at++) {
      const row = columns.rows[at] as number;
      while (row >= (starts[run] ?? Number.POSITIVE_INFINITY)) run += 1;
      if (hook === undefined || !hook.is(columns, at)) hook = hookAt(hooks, chunk, columns, at);
      hook.add(columns.cpus[at] as number, { row, run, seq: columns.seqs[at] as number });
    }
  }
  const byCpu = [...hooks].flatMap(([key, { cpus }]) =>
    [...cpus].map(([cpu, { ranges }]) => [`${key}/${cpu}`, ranges] as const),
  );
  return new Map(byCpu.sort(([, [a]], [, [b]]) => (a?.row ?? 0) - (b?.row ?? 0)));
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

/** Most execs are of the same hook as the one before, so that this is seldom called. */
function hookAt(
  hooks: Map<string, Hook>,
  chunk: DuckDBDataChunk,
  columns: Columns,
  at: number,
): Hook {
  const [boot, id] = [1, 2].map((column) => chunk.getColumnVector(column).getItem(at));
  const key = `${boot}/${id}`;
  const hook = hooks.get(key) ?? new Hook(columns, at);
  hooks.set(key, hook);
  return hook;
}

/** The numbers of one hook, by CPU. */
class Hook {
  readonly cpus = new Map<number, Numbers>();
  readonly #boot: Int32Array;
  readonly #id: Int32Array;

  constructor({ boots, hooks }: Columns, at: number) {
    this.#boot = boots.slice(4 * at, 4 * at + 4);
    this.#id = hooks.slice(2 * at, 2 * at + 2);
  }

  is({ boots, hooks }: Columns, at: number): boolean {
    for (let word = 0; word < 4; word++)
      if (this.#boot[word] !== boots[4 * at + word]) return false;
    return this.#id[0] === hooks[2 * at] && this.#id[1] === hooks[2 * at + 1];
  }

  add(cpu: number, one: Numbered): void {
    const numbers = this.cpus.get(cpu) ?? new Numbers();
    this.cpus.set(cpu, numbers);
    numbers.add(one);
  }
}

/** An exec with its number, and how many of `starts` are before it. */
interface Numbered {
  readonly row: number;
  readonly run: number;
  readonly seq: number;
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
   * expected, they belong to the range before, so that one wrong number is one finding.
   */
  add({ row, run, seq }: Numbered): void {
    this.#count += 1;
    const ahead = seq - this.#count;
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
      this.#range = { row, first: seq, last: seq };
      this.#ofRun.set(ahead, this.#range);
      this.ranges.push(this.#range);
    }
    this.#range.last = seq;
  }
}

interface Growing {
  readonly row: number;
  readonly first: number;
  last: number;
}
