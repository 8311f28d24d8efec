import { writeFileSync } from 'node:fs';
import { LineHead } from '../../record/index/line-head.ts';
import { Resources } from '../../record/index/resources.ts';
import type { IndexedFrame } from '../../record/index/segment-index.ts';
import { scanSql } from '../columns.ts';
import type { Source } from '../inputs/source.ts';
import type { Journals } from '../journals.ts';
import {
  type Condition,
  resourceConditionOf,
  type Selection,
  type TimeRange,
  timeRangeOf,
} from '../select/filter.ts';
import { frameTexts } from './frame-texts.ts';
import { type IndexedFile, indexedFiles } from './indexed-files.ts';
import { type Kept, KeptLines } from './kept-lines.ts';

/** DuckDB reads more than this faster from the segments themselves. */
const KEPT_MAX = 256 << 20;
const BILLION = 1_000_000_000n;
const TIMES_END = 2n ** 64n;

/** What a selection says about a line's time and its resource; undefined: nothing. */
interface Wanted extends TimeRange {
  /** whether a resource may match, by its text */
  readonly resources: ReadonlyMap<string, boolean> | undefined;
}

/**
 * Leaves out the lines that cannot match a selection by its time or its resource, as far as indexes
 * say which they are. Without an index, or if that would spare little, nothing is left out.
 */
export async function narrowToSelection(
  journals: Journals,
  selection: Selection,
  nowMs: number,
): Promise<void> {
  if (!mayNarrow(selection, nowMs)) return;
  const times = timeRangeOf(selection, nowMs);
  const condition = resourceConditionOf(selection, nowMs);
  const { files, notes } = await indexedFiles(journals);
  const resources = condition && (await matching(journals, files, condition));
  const wanted = { ...times, resources };
  const copies = new Map<Source, Kept>();
  let bytes = 0;
  for (const file of files) {
    const lines = new KeptLines(journals.temporaryFile());
    const isKept = await keep(file, wanted, lines, KEPT_MAX - bytes);
    const kept = lines.end();
    bytes += lines.bytes;
    if (isKept) copies.set(file.source, kept);
  }
  if (bytes <= KEPT_MAX)
    for (const [source, { file, numbers, left }] of copies) source.narrow(file, numbers, left);
  await journals.narrowed(notes);
}

/** Whether indexes can say which lines do not match a selection. */
export function mayNarrow(selection: Selection, nowMs: number): boolean {
  const { since, until } = timeRangeOf(selection, nowMs);
  return (since ?? until) !== undefined || resourceConditionOf(selection, nowMs) !== undefined;
}

/** Says which of all resources match a condition; DuckDB decides, as it does for records. */
async function matching(
  journals: Journals,
  files: readonly IndexedFile[],
  { sql, columns }: Condition,
): Promise<Map<string, boolean>> {
  const texts = [...new Set(files.flatMap(({ index }) => index.resources))];
  const path = journals.temporaryFile();
  const lines = texts.map((text) => `{"id":"","resource":${text}}\n`);
  writeFileSync(path, lines.join(''), { mode: 0o600, flag: 'wx' });
  const rows = await journals.rows(
    `SELECT id IS NULL OR ${sql} FROM (${scanSql([path], ['id', ...columns])})`,
  );
  if (rows.length !== texts.length) throw new Error('an index has a resource that is no line');
  return new Map(texts.map((text, index) => [text, rows[index]?.[0] === true]));
}

/**
 * Keeps the lines of a file that may match, until they are more than `bytesMax`. Returns false if the
 * segment differs from its index, and must be read as a whole.
 */
async function keep(
  { source, index }: IndexedFile,
  wanted: Wanted,
  lines: KeptLines,
  bytesMax: number,
): Promise<boolean> {
  const mayMatch = index.resources.map((text) => wanted.resources?.get(text) ?? true);
  const isNeeded = (frame: IndexedFrame) => mayHave(frame, wanted, mayMatch);
  const texts = frameTexts(source.original, index.frames.filter(isNeeded));
  const matcher = new LineMatcher(wanted);
  try {
    for (const frame of index.frames) {
      if (!isNeeded(frame)) {
        lines.skip(frame.lines);
        continue;
      }
      const { value: text } = await texts.next();
      if (text === undefined) throw new RangeError('a frame has no text');
      matcher.text = text;
      lines.take(text, frame.lines, (from, to) => matcher.isWanted(from, to));
      if (lines.bytes > bytesMax) return true;
    }
    return true;
  } catch {
    return false;
  } finally {
    await texts.return();
  }
}

/** Whether a frame may have a line that is wanted, or one that is no record of ours. */
function mayHave(
  { isOurs, first, last, resources }: IndexedFrame,
  { since, until }: Wanted,
  mayMatch: readonly boolean[],
): boolean {
  if (!isOurs) return true;
  if (since !== undefined && last < since) return false;
  if (until !== undefined && first >= until) return false;
  return resources === undefined || resources.some((number) => mayMatch[number]);
}

/** Compares lines of a frame with what is wanted. */
class LineMatcher {
  readonly #wanted: Wanted;
  readonly #head = new LineHead();
  readonly #resources = new Resources();
  readonly #mayMatch: (boolean | undefined)[] = [];
  readonly #since: readonly [high: number, low: number];
  readonly #until: readonly [high: number, low: number];
  #text: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #hasZeros = false;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
    this.#since = partsOf(wanted.since === undefined || wanted.since < 0n ? 0n : wanted.since);
    this.#until = partsOf(wanted.until ?? TIMES_END);
  }

  set text(text: Buffer) {
    this.#text = text;
    this.#view = new DataView(text.buffer, text.byteOffset, text.byteLength);
    this.#hasZeros = text.includes(0);
  }

  /** Returns false only for a record that cannot match. */
  isWanted(from: number, to: number): boolean {
    const head = this.#head;
    if (this.#hasZeros || !head.read(this.#text, this.#view, from, to)) return true;
    const { timeHigh, timeLow, resourceAt } = head;
    if (isBefore(timeHigh, timeLow, this.#since)) return false;
    if (!isBefore(timeHigh, timeLow, this.#until)) return false;
    if (this.#wanted.resources === undefined) return true;
    const number = this.#resources.numberAt(this.#text, resourceAt, to);
    if (number < 0) return true;
    this.#mayMatch[number] ??=
      this.#wanted.resources.get(this.#resources.texts[number] ?? '') ?? true;
    return this.#mayMatch[number];
  }
}

function partsOf(time: bigint): readonly [high: number, low: number] {
  return [Number(time / BILLION), Number(time % BILLION)];
}

function isBefore(high: number, low: number, [otherHigh, otherLow]: readonly [number, number]) {
  return high < otherHigh || (high === otherHigh && low < otherLow);
}
