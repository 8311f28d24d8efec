import type { ExecColumns } from '../../exec-lines/exec-columns.ts';
import { SLACK_US } from '../line-rules.ts';

const BLOCK_BITS = 16;
const BLOCK = 1 << BLOCK_BITS;
const SLOTS_FIRST = 1 << 17;
/** An id that is farther from its slot than this has been made for that. */
const PROBES_MAX = 1000;
const BOOTS_MAX = 1000;
const HIGH_WORD = 2 ** 32;
const HIGH_MAX = 2 ** 21;
const MULTIPLIER = 0x9e3779b1;

/** What is kept of so many execs. */
interface Block {
  /** four words each */
  readonly ids: Uint32Array;
  /** in ns since the boot; NaN: too late to be exact */
  readonly times: Float64Array;
  /** of the process, in µs since the boot */
  readonly created: Float64Array;
  /** places in a list */
  readonly boots: Uint16Array;
}

/**
 * Finds the cause of each ordinary exec among those before it. A link that is right in every respect needs
 * no other look; every other one is left to the statements that judge it. A million execs cost
 * 0.2 s of CPU in this way, and 0.7 s in DuckDB, which joins and groups all ids.
 */
export class SeenLinks {
  /** the rows of execs whose links may be wrong */
  readonly open: number[] = [];
  /** Whether each id occurs once, and no evidence was made to be slow here. */
  #isUsable = true;
  readonly #blocks: Block[] = [];
  #count = 0;
  /** open addressing; the number of an exec, counted from 1, or 0 */
  #slots = new Int32Array(SLOTS_FIRST);
  /** where #find() ended */
  #slot = 0;
  readonly #boots = new Map<string, number>();

  get isUsable(): boolean {
    return this.#isUsable;
  }

  /** Takes the rows `from` up to `to` of a file, which are all execs; `base` is the row of its first line. */
  add(columns: ExecColumns, base: number, from: number, to: number): void {
    const [ids, parents] = [new Uint32Array(columns.id), new Uint32Array(columns.parent)];
    const hasParent = new Uint8Array(columns.hasParent);
    const boots = new Uint32Array(columns.boot);
    const [times, ages] = [new Int32Array(columns.bootTime), new Int32Array(columns.age)];
    let boot = -1;
    for (let row = from; row < to && this.#isUsable; row++) {
      if (boot < 0 || !isSameId(boots, 4 * row, boots, 4 * (row - 1))) boot = this.#bootAt(boots, row);
      const time = integerAt(times, row);
      const created = microsecondsOf(time) - integerAt(ages, row);
      if (hasParent[row] === 1) {
        const parent = this.#find(parents, row);
        if (parent < 0 || !this.#isRight(parent, { boot, time, created })) this.open.push(base + row);
      }
      if (this.#find(ids, row) >= 0 || boot >= BOOTS_MAX) this.#giveUp();
      else if (this.#isUsable) this.#keep(ids, row, { boot, time, created });
    }
  }

  /** Whether an exec may be the cause of a later one, with room for what was rounded. */
  #isRight(parent: number, { boot, time, created }: Times): boolean {
    const { boots, times, created: all } = this.#blocks[parent >> BLOCK_BITS] as Block;
    const at = parent & (BLOCK - 1);
    const since = times[at] as number;
    if (boots[at] !== boot || !(time >= since)) return false;
    return created > microsecondsOf(since) - SLACK_US || created === all[at];
  }

  /** Returns the number of the exec with an id, from 0; -1: there is none. */
  #find(ids: Uint32Array, row: number): number {
    const from = 4 * row;
    const mask = this.#slots.length - 1;
    let slot = slotOf(ids[from] as number, ids[from + 3] as number) & mask;
    for (let probes = 0; probes < PROBES_MAX; probes++) {
      const found = (this.#slots[slot] as number) - 1;
      this.#slot = slot;
      if (found < 0) return -1;
      const { ids: known } = this.#blocks[found >> BLOCK_BITS] as Block;
      if (isSameId(known, 4 * (found & (BLOCK - 1)), ids, from)) return found;
      slot = (slot + 1) & mask;
    }
    this.#giveUp();
    return -1;
  }

  /** Adds an exec that #find() has just not found. */
  #keep(ids: Uint32Array, row: number, { boot, time, created }: Times): void {
    const at = this.#count & (BLOCK - 1);
    if (at === 0) this.#blocks.push(emptyBlock());
    const block = this.#blocks.at(-1) as Block;
    for (let word = 0; word < 4; word++) block.ids[4 * at + word] = ids[4 * row + word] as number;
    block.times[at] = time;
    block.created[at] = created;
    block.boots[at] = boot;
    this.#count += 1;
    this.#slots[this.#slot] = this.#count;
    if (2 * this.#count > this.#slots.length) this.#grow();
  }

  #grow(): void {
    const slots = new Int32Array(2 * this.#slots.length);
    const mask = slots.length - 1;
    for (let number = 0; number < this.#count; number++) {
      const { ids } = this.#blocks[number >> BLOCK_BITS] as Block;
      const at = 4 * (number & (BLOCK - 1));
      let slot = slotOf(ids[at] as number, ids[at + 3] as number) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = number + 1;
    }
    this.#slots = slots;
  }

  #bootAt(boots: Uint32Array, row: number): number {
    const key = boots.subarray(4 * row, 4 * row + 4).join();
    const boot = this.#boots.get(key) ?? this.#boots.size;
    if (boot < BOOTS_MAX) this.#boots.set(key, boot);
    return boot;
  }

  #giveUp(): void {
    this.#isUsable = false;
    this.#blocks.length = 0;
    this.#slots = new Int32Array(1);
  }
}

interface Times {
  readonly boot: number;
  readonly time: number;
  readonly created: number;
}

function emptyBlock(): Block {
  return {
    ids: new Uint32Array(4 * BLOCK),
    times: new Float64Array(BLOCK),
    created: new Float64Array(BLOCK),
    boots: new Uint16Array(BLOCK),
  };
}

function slotOf(last: number, first: number): number {
  const hash = Math.imul(last ^ first, MULTIPLIER);
  return hash ^ (hash >>> 15);
}

function isSameId(ids: Uint32Array, at: number, others: Uint32Array, from: number): boolean {
  for (let word = 0; word < 4; word++)
    if (ids[at + word] !== others[from + word]) return false;
  return true;
}

/** An integer of 64 bits; NaN: a double cannot be exact. */
function integerAt(words: Int32Array, row: number): number {
  const high = words[2 * row + 1] as number;
  if (high >= HIGH_MAX || high < -HIGH_MAX) return Number.NaN;
  return high * HIGH_WORD + ((words[2 * row] as number) >>> 0);
}

/** Whole microseconds; the quotient may be rounded up to an integer. */
function microsecondsOf(nanoseconds: number): number {
  const quotient = Math.floor(nanoseconds / 1000);
  return quotient * 1000 > nanoseconds ? quotient - 1 : quotient;
}
