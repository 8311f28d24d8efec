import { type BigIntStats, existsSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { isRecord } from '../../record/read.ts';
import type { SegmentFacts } from '../audit/checkpoints/segment-facts.ts';
import { ForensicsError } from '../errors.ts';
import { RefusedLines } from '../exec-lines/refused-lines.ts';
import {
  type Converted,
  convert,
  convertProtobuf,
  type DamagedLine,
  damagedLine,
} from './convert.ts';
import { CopyFile } from './copy-file.ts';
import { compressedName, type Found } from './find.ts';
import { PROTOBUF } from './names.ts';
import { contentOf, mayBeOtlp } from './otlp.ts';
import { countCompressedLines, countLines, hasContent, type LineCount } from './read/count.ts';
import { type Line, readLines } from './read/lines.ts';
import { seekLines } from './read/seek.ts';
import { copyStream } from './read/stream.ts';
import { type Form, formOf, headOf, readText } from './read/text.ts';
import { damageOf } from './read/zstd.ts';
import type { Temporary } from './temporary.ts';
import type { WithheldNumbers } from './withheld.ts';

/** How many lines tell whether a file beside segments has records. */
const TRIED_LINES = 20;
const LINE_FEED = 0x0a;

/**
 * A file of records, and the file from which DuckDB reads them: itself, a copy of its text, or a
 * copy with one record a line and nothing that DuckDB stumbles over.
 */
export class Source {
  /** as the user named it */
  readonly path: string;
  /** Lines of one journal are in order. */
  readonly journal: string;
  /** the given file, or what was read from a stream */
  readonly original: string;
  /** Whether that is a copy of something else than a file. */
  readonly isFetched: boolean;
  readonly #temporary: Temporary;
  #form: Form = 'plain';
  #file: string;
  #hasRecordsOnly = false;
  #size = 0;
  /** what it was before it was read, which tells whether somebody has touched it since */
  #stat: BigIntStats | undefined;
  #count: LineCount | undefined;
  #refused: readonly number[] = [];
  /** the line number of each record in the original, if the lines differ */
  #numbers: readonly number[] | undefined;
  /** lines of OTLP without a log record */
  others = 0;
  /** log records of other programs */
  foreign = 0;
  /** what its log records say that rules withheld from the export */
  withheld: readonly WithheldNumbers[] = [];
  /** Whether an agent exported its records; a collector may have delivered one of them twice. */
  hasLogs = false;
  /** records that the answer does not need, and that are not in the file that DuckDB reads */
  left = 0;
  /** Whether its index was compared with all of its lines, and what is wrong with it. */
  isIndexChecked = false;
  indexFault: string | undefined;
  /** What its checkpoints say, if that was read with its lines. */
  segmentFacts: SegmentFacts | undefined;
  /** other inputs with the same bytes, which count once */
  readonly copies: Source[] = [];
  /** where something is missing or is no text */
  damage: readonly DamagedLine[] = [];
  /** Whether the last line may still be written. */
  isUnfinished = false;

  private constructor(
    { path, journal, isExported = false, isFetched = false }: Found,
    original: string,
    temporary: Temporary,
  ) {
    this.path = path;
    this.journal = journal;
    this.hasLogs = isExported;
    this.original = original;
    this.isFetched = isFetched;
    this.#file = original;
    this.#temporary = temporary;
  }

  /**
   * Opens an input, and copies it if DuckDB cannot read it as it is. Undefined: it is a file of the
   * agent and has no records. Rejects if the input cannot be read.
   */
  static async open(found: Found, temporary: Temporary): Promise<Source | undefined> {
    let original = found.real;
    if (original === undefined) {
      original = temporary.file();
      await copyStream(found.path, original);
    }
    const source = new Source(found, original, temporary);
    if (found.isBeside && !(await hasRecords(original))) return undefined;
    await source.#prepare();
    return source;
  }

  get form(): Form {
    return this.#form;
  }

  /** the file that DuckDB reads */
  get file(): string {
    return this.#file;
  }

  /** Whether DuckDB reads the given file. */
  get isOriginal(): boolean {
    return this.#file === this.original;
  }

  /** Whether it is a segment of a journal, as the agent wrote it. */
  get isSegment(): boolean {
    return !this.isFetched && this.journal !== this.original;
  }

  /** Whether DuckDB reads the text of the given file as it is. */
  get hasOwnText(): boolean {
    return this.damage.length === 0 && !this.#hasRecordsOnly && this.left === 0;
  }

  /** Whether nothing can be mended any more. */
  get hasRecordsOnly(): boolean {
    return this.#hasRecordsOnly;
  }

  /** Copies an open segment, which the agent may compress at any time, and then it has another name. */
  async keep(): Promise<void> {
    const isSegment = this.journal !== this.original;
    if (isSegment && this.isOriginal && this.isPlain) await this.#copyText();
  }

  /** Makes a copy that DuckDB can read, after it failed with the file that it has. */
  async mend(): Promise<void> {
    if (this.isOriginal && this.#form !== 'plain') await this.#copyText();
    else await this.copyRecords();
  }

  /** Makes a copy with one record a line. */
  async copyRecords(): Promise<void> {
    const target = this.#temporary.file();
    this.#take(await convert(this.#file, target), target);
  }

  #take(made: Converted, target: string): void {
    const { lines, others, foreign, withheld, hasLogs, damage } = made;
    this.isUnfinished = made.isUnfinished && this.#form === 'plain';
    this.others = others;
    this.foreign = foreign;
    this.withheld = withheld;
    this.hasLogs ||= hasLogs;
    const numbered = damage.map(({ line, why }) => ({ line: this.#numberOf(line), why }));
    this.damage = [...this.damage, ...numbered];
    this.#renumber(lines);
    this.#use(target);
    this.#hasRecordsOnly = true;
  }

  /** Has DuckDB read a copy of some lines, which have these numbers, and leaves out other records. */
  narrow(copy: string, numbers: readonly number[], left: number): void {
    this.#renumber(numbers);
    this.left = left;
    this.#use(copy);
  }

  /** Notes the size that the file has before DuckDB reads it: it may be growing. */
  measure(): void {
    this.#stat = statSync(this.#file, { bigint: true });
    if (this.isPlain) this.#size = Number(this.#stat.size);
  }

  /** Throws if it has not only grown since measure(), so that two readings may have met other text. */
  assertOnlyGrown(): void {
    const now = statSync(this.#file, { bigint: true, throwIfNoEntry: false });
    // One that was compressed meanwhile is compared with its other form when its lines are read.
    if (now === undefined) return;
    const { dev, ino, size, mtimeNs } = this.#stat ?? now;
    const isSame = now.size === size && now.mtimeNs === mtimeNs;
    const hasGrown = this.isPlain && now.size > size;
    if (now.dev !== dev || now.ino !== ino || !(isSame || hasGrown)) throw this.#changed();
  }

  /** Up to where lines are read; what is appended later is left out. */
  get size(): number {
    return this.isPlain ? this.#size : Number.POSITIVE_INFINITY;
  }

  /** Takes over what was counted up to `size`, and the places of lines that are no records. */
  counted(count: LineCount, refused: readonly number[]): void {
    this.#count = this.isPlain ? count : { ...count, marks: [] };
    this.#refused = refused;
  }

  /** Takes over what an audit has read with its lines. */
  audited({ indexFault, segmentFacts }: Pick<Source, 'indexFault' | 'segmentFacts'>): void {
    this.isIndexChecked = true;
    this.indexFault = indexFault;
    this.segmentFacts = segmentFacts;
  }

  /** Counts the lines that DuckDB must find at least, and looks for those that are no records. */
  async count(): Promise<LineCount> {
    if (this.#count !== undefined) return this.#count;
    // convert() has judged each line.
    const refused = this.#hasRecordsOnly ? undefined : new RefusedLines();
    const count = this.isPlain
      ? await countLines(this.#file, this.#size, refused)
      : await countCompressedLines(this.#file, refused);
    this.counted(count, refused?.places ?? []);
    return count;
  }

  /**
   * Returns the places of lines that are no records, except for those among `known`. They were counted,
   * and are judged again, because the last one may have become longer meanwhile.
   */
  async refused(known: ReadonlySet<number>): Promise<number[]> {
    const places = this.#refused.filter((place) => !known.has(place));
    const refused: number[] = [];
    let at = 0;
    for await (const { text, isTooLong, whole } of this.linesAt(places)) {
      const place = places[at] ?? 0;
      at += 1;
      if (!isTooLong && isRecord(text)) continue;
      refused.push(place);
      if (!whole && this.#form === 'plain') this.isUnfinished = true;
    }
    return refused;
  }

  /** Whether it had this number of lines at a moment since measure(). */
  async hasLines(lines: number): Promise<boolean> {
    const before = await this.count();
    if (before.lines === lines) return true;
    if (lines < before.lines || !this.isPlain) return false;
    this.measure();
    this.#count = undefined;
    const now = await this.count();
    return now.lines >= lines;
  }

  /** Returns the first line that is not blank; undefined: there is none. */
  async firstLine(): Promise<string | undefined> {
    for await (const { text } of readLines(this.#file)) return text;
    return undefined;
  }

  /**
   * Yields the lines at these places (ascending) of the file that DuckDB reads. Throws if the file no
   * longer has what was read of it.
   */
  async *linesAt(places: readonly number[]): AsyncGenerator<Line> {
    if (places.length === 0) return;
    // A segment may have been compressed since it was read.
    const file = existsSync(this.#file) ? this.#file : compressedName(this.#file);
    let at = 0;
    const marks = file === this.#file ? this.#count?.marks : undefined;
    try {
      await this.#assertAsRead(file);
      for await (const line of seekLines(file, places, marks)) {
        yield { ...line, number: this.#numbers?.[places[at] ?? 0] ?? line.number };
        at += 1;
      }
      await this.#assertAsRead(file);
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? this.#changed(error) : error;
    }
  }

  /** It is read once more only if somebody has touched the file, as who appends to it does. */
  async #assertAsRead(file: string): Promise<void> {
    const now = statSync(file, { bigint: true });
    if (isUntouched(now, this.#stat) || this.#count === undefined) return;
    if (!(await hasContent(file, this.#count.content))) throw this.#changed();
    this.#stat = now;
  }

  #changed(cause?: unknown): ForensicsError {
    const why = `${this.path} was deleted or changed since it was read: read the inputs again`;
    return new ForensicsError('unreadable', why, { cause });
  }

  /**
   * Whether a line at one of these places, which DuckDB does not read as a record, is one or is
   * OTLP.
   */
  async hasRecordAt(places: readonly number[]): Promise<boolean> {
    for await (const { text, whole, isTooLong } of this.linesAt(places)) {
      if (isTooLong) continue;
      const { kind } = contentOf(text);
      if (kind !== 'neither' && kind !== 'empty') return true;
      if (!whole && this.#form === 'plain') this.isUnfinished = true;
    }
    return false;
  }

  /** Whether `file` is not compressed. */
  get isPlain(): boolean {
    return this.#form === 'plain' || !this.isOriginal;
  }

  async #prepare(): Promise<void> {
    if (PROTOBUF.test(this.original)) {
      const target = this.#temporary.file();
      this.#take(await convertProtobuf(this.original, target), target);
      return;
    }
    const file = await open(this.original);
    try {
      this.#form = formOf(this.original, await headOf(file));
      if (this.#form === 'zstd') {
        const damage = await damageOf(file);
        if (damage !== undefined || !this.original.endsWith('.zst')) await this.#copyText();
      } else if (this.#form === 'gzip') await this.#copyText();
    } finally {
      await file.close();
    }
    const first = await this.firstLine();
    if (first !== undefined && mayBeOtlp(first)) await this.copyRecords();
  }

  async #copyText(): Promise<void> {
    const target = this.#temporary.file();
    const copy = new CopyFile(target);
    const damage: DamagedLine[] = [];
    let lines = 0;
    let isWithinLine = false;
    try {
      for await (const part of readText(this.original)) {
        if (Buffer.isBuffer(part)) {
          copy.write(part);
          for (let at = part.indexOf(LINE_FEED); at >= 0; at = part.indexOf(LINE_FEED, at + 1))
            lines += 1;
          if (part.length > 0) isWithinLine = part.at(-1) !== LINE_FEED;
          continue;
        }
        if (isWithinLine) {
          copy.write(Buffer.of(LINE_FEED));
          lines += 1;
          isWithinLine = false;
        }
        damage.push(damagedLine(part, lines + 1));
      }
    } finally {
      copy.close();
    }
    this.damage = damage;
    this.#use(target);
  }

  /** A copy has a line for each number, so that a copy of it has the numbers of those. */
  #renumber(lines: readonly number[]): void {
    this.#numbers = lines.map((line) => this.#numberOf(line));
  }

  /** The number that a line of the file that DuckDB reads has in the original. */
  #numberOf(line: number): number {
    return this.#numbers?.[line - 1] ?? line;
  }

  #use(file: string): void {
    this.#file = file;
    this.#count = undefined;
  }
}

/** Whether a file is the same as before, and nobody has written to it, or renamed it. */
function isUntouched(now: BigIntStats, before: BigIntStats | undefined): boolean {
  const names = ['dev', 'ino', 'size', 'mtimeNs', 'ctimeNs'] as const;
  return names.every((name) => now[name] === before?.[name]);
}

async function hasRecords(path: string): Promise<boolean> {
  if (PROTOBUF.test(path)) return true;
  let tried = 0;
  for await (const { text } of readLines(path)) {
    const { kind } = contentOf(text);
    if (kind === 'logs' || kind === 'other') return true;
    if (kind === 'record' && text.includes('"permitted_by"')) return true;
    tried += 1;
    if (tried === TRIED_LINES) return false;
  }
  return false;
}
