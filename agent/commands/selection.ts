import { KEYS } from '../../record/fields.ts';
import { LineHead } from '../../record/index/line-head.ts';
import type { FrameTest } from '../journal/indexed.ts';

const LINE_FEED = 0x0a;
const BILLION = 1_000_000_000n;
/** What only the lines of records about the journal have. */
export const OF_JOURNAL = '"action":"journal.';

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

/** Makes a function that yields the wanted lines among whole lines, as the parts that they are in. */
export function wantedIn(selection: Selection): (lines: Buffer) => Iterable<Buffer> {
  if (isAll(selection)) return (lines) => [lines];
  const isInTime = timeTest(selection);
  const fields = fieldsOf(selection.pod).map((field) => Buffer.from(field));
  const ofJournal = Buffer.from(OF_JOURNAL);
  return function* (lines) {
    const view = new DataView(lines.buffer, lines.byteOffset, lines.byteLength);
    // What is wanted begins here; -1: the line before is not wanted.
    let begin = -1;
    let from = 0;
    for (let end = lines.indexOf(LINE_FEED); end >= 0; end = lines.indexOf(LINE_FEED, from)) {
      const line = fields.length === 0 ? undefined : lines.subarray(from, end);
      const isInPlace =
        !line || fields.every((one) => line.includes(one)) || line.includes(ofJournal);
      const isWanted = isInPlace && isInTime(lines, view, from, end);
      if (isWanted && begin < 0) begin = from;
      if (!isWanted && begin >= 0) {
        yield lines.subarray(begin, from);
        begin = -1;
      }
      from = end + 1;
    }
    if (begin >= 0) yield lines.subarray(begin, from);
  };
}

/** Makes the test for frames of a compressed segment that may have such lines. */
export function frameTest({ from, before, pod }: Selection): FrameTest {
  const fields = fieldsOf(pod);
  return (index) => {
    const isInPod = index.resources.map((text) => fields.every((one) => text.includes(one)));
    return ({ first, last, onlyExecs, resources }) => {
      if (from !== undefined && last < from) return false;
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
