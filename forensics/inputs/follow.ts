import { counted } from '../../record/describe.ts';
import { ForensicsError } from '../errors.ts';
import { fileSize } from './file-size.ts';
import { compressedName, findFiles, type Problem } from './find.ts';
import { readText } from './read/text.ts';

const LINE_FEED = 0x0a;
const PART_BYTES = 16 << 20;
/** Nothing is appended to a file of this form, or to a segment that has a successor. */
const CLOSED = /\.(zst|gz)$/;

/** Something to which records are added. */
export interface Followed {
  /** Yields whole lines that were added since the last call. */
  read(): AsyncGenerator<Buffer>;
  close(): Promise<void>;
}

/** Files that grow, and how far they have been read. */
export class FollowedFiles implements Followed {
  /** what cannot be read at the beginning; it is followed once it can */
  readonly problems: readonly Problem[];
  readonly #inputs: readonly string[];
  readonly #onDamage: (path: string, why: string) => void;
  /** How many bytes of whole lines were read, by the name of the plain form; Infinity: all. */
  readonly #read = new Map<string, number>();
  /** by journal: the number of the segment that was read last */
  readonly #last = new Map<string, number>();
  /** segments that were listed without the ones before them */
  readonly #behindGap = new Set<string>();
  /** files that cannot be read, which are tried again */
  readonly #unreadable = new Set<string>();

  /** Begins at the end of what is there now. Throws a ForensicsError if an input is a pipe. */
  constructor(inputs: readonly string[], onDamage: (path: string, why: string) => void) {
    this.#inputs = inputs;
    this.#onDamage = onDamage;
    const { found, problems } = findFiles(inputs);
    this.problems = problems;
    for (const { path, real, journal } of found) {
      if (real === undefined)
        throw new ForensicsError('usage', `${path}: tail follows files and folders, and no pipes`);
      const size = CLOSED.test(path) ? undefined : fileSize(path);
      this.#read.set(plainName(path), size ?? Number.POSITIVE_INFINITY);
      this.#last.set(journal, numberOf(plainName(path)));
    }
  }

  /** No file stays open between two calls. */
  async close(): Promise<void> {}

  /**
   * Yields the whole lines that were added since the last call, those of a segment before those of
   * the next, whether it was compressed meanwhile or not.
   */
  async *read(): AsyncGenerator<Buffer> {
    const { found } = findFiles(this.#inputs);
    const newest = new Map(found.map(({ path, journal }) => [journal, plainName(path)]));
    const vanished = new Set<string>();
    let parts: Buffer[] = [];
    let bytes = 0;
    const before = new Map<string, number>();
    for (const { path, journal } of found) {
      const name = plainName(path);
      const number = numberOf(name);
      const last = this.#last.get(journal) ?? Number.NaN;
      if (!this.#follows(before.get(journal) ?? last, name)) vanished.add(journal);
      before.set(journal, number);
      if (vanished.has(journal)) continue;
      const lines = await this.#linesOf(path);
      if (lines === undefined) {
        // It was compressed since. The next segments wait until it is read in that form.
        vanished.add(journal);
        continue;
      }
      if (number > last + 1)
        this.#onDamage(
          path,
          `${counted(number - last - 1, 'segment')} before it not there, and not read`,
        );
      if (!(number <= last)) this.#last.set(journal, number);
      if (lines === 'unreadable') continue;
      const isComplete = CLOSED.test(path) || newest.get(journal) !== name;
      const end = (this.#read.get(name) ?? 0) + lines.length;
      this.#read.set(name, isComplete ? Number.POSITIVE_INFINITY : end);
      parts.push(lines);
      bytes += lines.length;
      if (bytes < PART_BYTES) continue;
      yield Buffer.concat(parts);
      parts = [];
      bytes = 0;
    }
    if (bytes > 0) yield Buffer.concat(parts);
  }

  /**
   * Whether a segment follows the one that was listed before it. A folder can be listed while a segment
   * gets its other name, and then has neither; one that is not in the next list either was deleted.
   */
  #follows(before: number, name: string): boolean {
    const isNext = !(numberOf(name) > before + 1);
    if (isNext || this.#behindGap.has(name)) return true;
    this.#behindGap.add(name);
    return false;
  }

  /** Undefined: there is no such file any more. */
  async #linesOf(path: string): Promise<Buffer | undefined | 'unreadable'> {
    const isClosed = CLOSED.test(path);
    const from = this.#read.get(plainName(path)) ?? 0;
    if (from === Number.POSITIVE_INFINITY) return Buffer.alloc(0);
    const size = fileSize(path);
    if (size === undefined) return undefined;
    if (!isClosed && size <= from) return Buffer.alloc(0);
    try {
      const text = await this.#textOf(path, isClosed ? 0 : from);
      // Nobody ends the last line of a closed file any more.
      return isClosed
        ? ended(text.subarray(from))
        : text.subarray(0, text.lastIndexOf(LINE_FEED) + 1);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return undefined;
      if (!this.#unreadable.has(path)) this.#onDamage(path, message);
      this.#unreadable.add(path);
      return 'unreadable';
    }
  }

  async #textOf(path: string, from: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of readText(path, from))
      if (Buffer.isBuffer(part)) parts.push(part);
      else {
        // Where something is missing, a line ends.
        parts.push(Buffer.of(LINE_FEED));
        this.#onDamage(path, `damaged at byte ${part.at}: ${part.why}`);
      }
    return Buffer.concat(parts);
  }
}

function ended(lines: Buffer): Buffer {
  if (lines.length === 0 || lines.at(-1) === LINE_FEED) return lines;
  return Buffer.concat([lines, Buffer.of(LINE_FEED)]);
}

/** The number of a segment; NaN: it is none. */
function numberOf(name: string): number {
  return Number(/(?:^|\/)(\d{20})\.jsonl$/.exec(name)?.[1] ?? Number.NaN);
}

/** A segment has the same name in both forms. */
function plainName(path: string): string {
  const extension = compressedName('');
  return path.endsWith(extension) ? path.slice(0, -extension.length) : path;
}
