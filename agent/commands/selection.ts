import { KEYS } from '../../record/fields.ts';
import { LineHead } from '../../record/index/line-head.ts';
import type { FrameTest } from '../journal/indexed.ts';

const LINE_FEED = 0x0a;
const BILLION = 1_000_000_000n;
/** What only the lines of records about the journal have. */
export const OF_JOURNAL = '"action":"journal.';
const OF_JOURNAL_BYTES = Buffer.from(OF_JOURNAL);
const START = '"action":"journal.start"';

/** Which lines are wanted; those of the journal itself are wanted whatever the pod. */
export interface Selection {
  /** Unix nanoseconds: the first one, and the first one that is too late */
  readonly from: bigint | undefined;
  readonly before: bigint | undefined;
  /** NAME or NAMESPACE/NAME */
  readonly pod: string | undefined;
}

/** Returns whether everything is wanted. */
export function isAll({ from, before, pod }: Selection): boolean {
  return from === undefined && before === undefined && pod === undefined;
}

/**
 * Finds the wanted lines of a journal that is read in order. Behind a wanted start, execs are wanted that
 * are earlier than `from`, too: an earlier agent had left them unread, and the start counts them.
 */
export class Selector {
  readonly #selection: Selection;
  readonly #fields: readonly Buffer[];
  #isInTime: LineTest;
  #from: bigint | undefined;

  constructor(selection: Selection) {
    this.#selection = selection;
    this.#fields = fieldsOf(selection.pod).map((field) => Buffer.from(field));
    this.#isInTime = timeTest(selection);
    this.#from = selection.from;
  }

  /** The first time that is wanted of what follows, in Unix nanoseconds. */
  get from(): bigint | undefined {
    return this.#from;
  }

  /** Yields the wanted lines among whole lines, as the parts that they are in. */
  *in(lines: Buffer): Generator<Buffer> {
    if (isAll(this.#selection)) {
      yield lines;
      return;
    }
    const view = new DataView(lines.buffer, lines.byteOffset, lines.byteLength);
    let start = this.#from === undefined ? -1 : lines.indexOf(START);
    // What is wanted begins here; -1: the line before is not wanted.
    let begin = -1;
    let from = 0;
    for (let end = lines.indexOf(LINE_FEED); end >= 0; end = lines.indexOf(LINE_FEED, from)) {
      const isWanted = this.#isWanted(lines, view, from, end);
      if (isWanted && begin < 0) begin = from;
      if (!isWanted && begin >= 0) {
        yield lines.subarray(begin, from);
        begin = -1;
      }
      if (start >= 0 && start < end) {
        if (isWanted) this.#passStart();
        start = isWanted ? -1 : lines.indexOf(START, end);
      }
      from = end + 1;
    }
    if (begin >= 0) yield lines.subarray(begin, from);
  }

  #passStart(): void {
    this.#from = undefined;
    this.#isInTime = timeTest({ ...this.#selection, from: undefined });
  }

  #isWanted(lines: Buffer, view: DataView, from: number, end: number): boolean {
    if (this.#fields.length > 0) {
      const line = lines.subarray(from, end);
      if (!this.#fields.every((one) => line.includes(one)) && !line.includes(OF_JOURNAL_BYTES))
        return false;
    }
    return this.#isInTime(lines, view, from, end);
  }

  /** Makes the test for frames of a compressed segment that may have such lines. */
  readonly mayHave: FrameTest = (index) => {
    const { before, pod } = this.#selection;
    const fields = fieldsOf(pod);
    const isInPod = index.resources.map((text) => fields.every((one) => text.includes(one)));
    return ({ first, last, onlyExecs, resources }) => {
      if (this.#from !== undefined && last < this.#from) return false;
      if (before !== undefined && first >= before) return false;
      return !onlyExecs || resources === undefined || resources.some((one) => isInPod[one]);
    };
  };
}

/**
 * The fields of a pod as the agent writes them: inside a string, their quotation marks would be
 * escaped.
 */
function fieldsOf(pod: string | undefined): string[] {
  if (pod === undefined) return [];
  const [name = '', namespace] = pod.split('/').toReversed();
  const fields = [`"${KEYS.podName}":${JSON.stringify(name)}`];
  if (namespace !== undefined) fields.push(`"${KEYS.namespace}":${JSON.stringify(namespace)}`);
  return fields;
}

/** Tests the line in these bytes, without its line feed. */
export type LineTest = (lines: Buffer, view: DataView, from: number, to: number) => boolean;

/** Makes the test for the time of a line. */
export function timeTest({ from: first, before }: Pick<Selection, 'from' | 'before'>): LineTest {
  if (first === undefined && before === undefined) return () => true;
  const head = new LineHead();
  return (lines, view, from, to) => {
    const time = head.read(lines, view, from, to)
      ? BigInt(head.timeHigh) * BILLION + BigInt(head.timeLow)
      : timestampOf(lines.toString('utf8', from, to));
    return (first === undefined || time >= first) && (before === undefined || time < before);
  };
}

/**
 * Reads the exact timestamp: it is beyond 2^53, so JSON.parse would round it. A line without one
 * counts as 0.
 */
function timestampOf(line: string): bigint {
  return BigInt(/"timestamp":(\d+)/.exec(line)?.[1] ?? 0);
}
