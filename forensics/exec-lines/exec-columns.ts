import type { ExecLineReader } from './exec-line-reader.ts';
import type { ResourceFacts } from './part-facts.ts';

const ROWS_FIRST = 32_768;
const BILLION = 1_000_000_000;

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

/** Collects the rows of a file; a row that is skipped keeps zeros. */
export class ExecColumnsBuilder {
  #rows = 0;
  #room = 0;
  #id = new Int32Array();
  #parent = new Int32Array();
  #hasParent = new Uint8Array();
  #boot = new Int32Array();
  #bootTime = new Int32Array();
  #hook = new Int32Array();
  #seq = new Int32Array();
  #wall = new Int32Array();
  #age = new Int32Array();
  #cpu = new Int32Array();
  #resource = new Int32Array();
  readonly #resources = new Map<ResourceFacts, number>();

  get rows(): number {
    return this.#rows;
  }

  skip(): void {
    this.#next();
  }

  add(line: ExecLineReader): void {
    const row = this.#next();
    setUuid(this.#id, row, line.id);
    setUuid(this.#boot, row, line.boot);
    if (line.hasParent) {
      setUuid(this.#parent, row, line.parent);
      this.#hasParent[row] = 1;
    }
    setBigint(this.#bootTime, row, line.bootTimeHigh, line.bootTimeLow);
    setBigint(this.#hook, row, line.hookHigh, line.hookLow);
    setInteger(this.#seq, row, line.seq);
    this.#setClocks(row, line);
    this.#cpu[row] = line.cpu;
    if (line.resource !== undefined) this.#resource[row] = this.#placeOf(line.resource);
  }

  end(): ExecColumns {
    return {
      rows: this.#rows,
      id: this.#id.buffer,
      parent: this.#parent.buffer,
      hasParent: this.#hasParent.buffer,
      boot: this.#boot.buffer,
      bootTime: this.#bootTime.buffer,
      hook: this.#hook.buffer,
      seq: this.#seq.buffer,
      wall: this.#wall.buffer,
      age: this.#age.buffer,
      cpu: this.#cpu.buffer,
      resource: this.#resource.buffer,
    };
  }

  /** The resources to which the column `resource` points. */
  get resources(): string[] {
    return [...this.#resources.keys()].map(({ text }) => text);
  }

  #setClocks(row: number, line: ExecLineReader): void {
    const { timeHigh, timeLow, bootTimeHigh, bootTimeLow, created, createdNanos } = line;
    const borrow = Number(timeLow < bootTimeLow);
    const low = timeLow - bootTimeLow + borrow * BILLION;
    setBigint(this.#wall, row, timeHigh - bootTimeHigh - borrow, low);
    const micros = Math.floor(timeLow / 1000) - Math.floor(createdNanos / 1000);
    setInteger(this.#age, row, (timeHigh - created) * 1e6 + micros);
  }

  #placeOf(resource: ResourceFacts): number {
    const known = this.#resources.get(resource);
    if (known !== undefined) return known;
    this.#resources.set(resource, this.#resources.size);
    return this.#resources.size - 1;
  }

  #next(): number {
    if (this.#rows === this.#room) this.#grow();
    this.#rows += 1;
    return this.#rows - 1;
  }

  #grow(): void {
    this.#room = Math.max(ROWS_FIRST, 2 * this.#room);
    this.#id = larger(this.#id, 4 * this.#room);
    this.#parent = larger(this.#parent, 4 * this.#room);
    this.#hasParent = new Uint8Array(this.#hasParent.buffer.transfer(this.#room));
    this.#boot = larger(this.#boot, 4 * this.#room);
    this.#bootTime = larger(this.#bootTime, 2 * this.#room);
    this.#hook = larger(this.#hook, 2 * this.#room);
    this.#seq = larger(this.#seq, 2 * this.#room);
    this.#wall = larger(this.#wall, 2 * this.#room);
    this.#age = larger(this.#age, 2 * this.#room);
    this.#cpu = larger(this.#cpu, this.#room);
    this.#resource = larger(this.#resource, this.#room);
  }
}

/** Moves to a new length, so that the old memory is free at once. */
function larger(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  return new Int32Array(array.buffer.transfer(4 * length));
}

/** DuckDB keeps a UUID as a number of 128 bits, and orders it by inverting the highest one. */
function setUuid(column: Int32Array, row: number, words: Int32Array): void {
  const at = 4 * row;
  column[at] = words[3] as number;
  column[at + 1] = words[2] as number;
  column[at + 2] = words[1] as number;
  column[at + 3] = (words[0] as number) ^ 0x80000000;
}

/** Writes high * 10^9 + low, which may be beyond 2^53. */
function setBigint(column: Int32Array, row: number, high: number, low: number): void {
  const lower = (Math.imul(high | 0, BILLION) + low) | 0;
  column[2 * row] = lower;
  // What rounding makes of the difference is wrong by much less than a half of the divisor.
  column[2 * row + 1] = Math.round((high * BILLION + low - (lower >>> 0)) / 0x100000000);
}

/** Writes an integer that is exact as a number. */
function setInteger(column: Int32Array, row: number, value: number): void {
  column[2 * row] = value | 0;
  column[2 * row + 1] = Math.floor(value / 0x100000000);
}
