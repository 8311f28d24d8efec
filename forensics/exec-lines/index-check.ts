import { FrameCollector } from '../../record/index/frame-collector.ts';
import type { IdSet } from '../../record/index/id-set.ts';
import { BEHIND_RESOURCE, LineHead } from '../../record/index/line-head.ts';
import { NO_RESOURCE, NOT_LISTED } from '../../record/index/resources.ts';
import type { FrameContent, SegmentIndex } from '../../record/index/segment-index.ts';
import type { ExecScanner } from './exec-scanner.ts';

/** A time with less has fewer digits than the agent writes. */
const HIGH_MIN = 1_000_000_000;

/** Compares an index with the lines of its segment, while these are read for another purpose. */
export class IndexCheck {
  readonly #index: SegmentIndex;
  readonly #numbers: ReadonlyMap<string, number>;
  /** the numbers of resources by their places in the file */
  #known: readonly number[] = [];
  readonly #collector = new FrameCollector();
  readonly #head = new LineHead();
  #frame = 0;
  #bytes = 0;
  #lines = 0;
  #fault: string | undefined;

  constructor(index: SegmentIndex) {
    this.#index = index;
    this.#numbers = new Map(index.resources.map((text, number) => [text, number]));
  }

  /** Takes the lines of a batch. */
  execs(scanner: ExecScanner): void {
    const { rows } = scanner;
    const ids = wordsOf(scanner.column('id'));
    const parents = wordsOf(scanner.column('parent'));
    const hasParent = scanner.column('hasParent');
    const resources = wordsOf(scanner.column('resource'));
    const seconds = doublesOf(scanner.column('seconds'));
    const nanos = doublesOf(scanner.column('nanos'));
    const lengths = wordsOf(scanner.column('length'));
    const head = { id: 0, parent: 0, timeHigh: 0, timeLow: 0, isExec: true };
    for (let row = 0; row < rows; row++) {
      head.timeHigh = seconds[row] as number;
      head.timeLow = nanos[row] as number;
      if (head.timeHigh < HIGH_MIN) this.#collector.addOther();
      else {
        // The first word of an id stands last, with its highest bit inverted.
        head.id = ((ids[4 * row + 3] as number) ^ 0x80000000) >>> 0;
        const hasCause = hasParent[row] === 1;
        head.parent = hasCause ? ((parents[4 * row + 3] as number) ^ 0x80000000) >>> 0 : -1;
        this.#collector.add(head, this.#numberOf(resources[row] as number, scanner));
      }
      this.#next(lengths[row] as number);
    }
  }

  /** Takes another line, without its line feed. */
  other(line: Buffer): void {
    const head = this.#head;
    const view = new DataView(line.buffer, line.byteOffset, line.byteLength);
    const isRead = !line.includes(0) && head.read(line, view, 0, line.length);
    if (isRead) this.#collector.add(head, this.#numberAt(line, head.resourceAt));
    else this.#collector.addOther();
    this.#next(line.length);
  }

  /** Takes what follows the last line feed, and returns what is wrong with the index. */
  end(rest: number): string | undefined {
    const isLast = this.#frame === this.#index.frames.length - 1;
    if (rest > 0 || (isLast && this.#bytes === 0)) {
      if (rest > 0) this.#collector.addOther();
      this.#bytes += rest;
      this.#endFrame();
    }
    if (this.#frame !== this.#index.frames.length) this.#fault ??= 'it has other frames';
    return this.#fault;
  }

  #next(bytes: number): void {
    this.#bytes += bytes + 1;
    this.#lines += 1;
    if (this.#bytes >= (this.#index.frames[this.#frame]?.textBytes ?? 0)) this.#endFrame();
  }

  #endFrame(): void {
    const expected = this.#index.frames[this.#frame];
    const found = this.#collector.end(this.#bytes, this.#lines);
    const difference = expected === undefined ? 'frames' : differenceOf(expected, found);
    if (difference !== undefined)
      this.#fault ??= `it has other ${difference} than frame ${this.#frame + 1}`;
    this.#frame += 1;
    this.#bytes = 0;
    this.#lines = 0;
  }

  #numberOf(place: number, scanner: ExecScanner): number {
    if (place >= this.#known.length)
      this.#known = scanner.resources.map((text) => this.#numbers.get(text) ?? NOT_LISTED);
    return this.#known[place] ?? NOT_LISTED;
  }

  #numberAt(line: Buffer, from: number): number {
    const end = line.indexOf(BEHIND_RESOURCE, from);
    if (end < 0) return NO_RESOURCE;
    return this.#numbers.get(line.toString('utf8', from, end)) ?? NOT_LISTED;
  }
}

/** Names what an index says of a frame and is not so. */
function differenceOf(expected: FrameContent, found: FrameContent): string | undefined {
  if (expected.textBytes !== found.textBytes || expected.lines !== found.lines) return 'lines';
  // Of such a frame nothing else is used.
  if (!expected.isOurs && !found.isOurs) return undefined;
  if (expected.isOurs !== found.isOurs) return 'lines';
  if (expected.onlyExecs && !found.onlyExecs) return 'records';
  if (expected.first !== found.first || expected.last !== found.last) return 'times';
  if (!isSameSet(expected.ids, found.ids)) return 'ids';
  if (!isSameSet(expected.parents, found.parents)) return 'causes';
  // Without a list of them, every resource may be in the frame.
  if (expected.resources === undefined) return undefined;
  const listed = new Set(expected.resources);
  const isListed = found.resources?.every((number) => listed.has(number)) ?? false;
  return isListed ? undefined : 'resources';
}

function isSameSet(one: IdSet, other: IdSet): boolean {
  return one.bits === other.bits && one.coded.equals(other.coded);
}

function wordsOf({ buffer, byteOffset, length }: Uint8Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, length / Uint32Array.BYTES_PER_ELEMENT);
}

function doublesOf({ buffer, byteOffset, length }: Uint8Array): Float64Array {
  return new Float64Array(buffer, byteOffset, length / Float64Array.BYTES_PER_ELEMENT);
}
