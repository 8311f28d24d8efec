import { type FileHandle, open } from 'node:fs/promises';
import { mayHaveId } from '../../record/index/id-search.ts';
import { type IdSet, valuesOf } from '../../record/index/id-set.ts';
import type { IndexedFrame } from '../../record/index/segment-index.ts';
import { readText } from '../inputs/read/text.ts';
import type { Source } from '../inputs/source.ts';
import { textOf } from './frame-texts.ts';
import type { IndexedFile } from './indexed-files.ts';
import { LinkedLines } from './linked-lines.ts';

/** What has no index is read into memory up to this size of text; more gives up. */
const UNINDEXED_MAX = 128 << 20;
/** So many texts are kept in memory. */
const LOADED_MAX = 16;

/** A frame of a compressed segment, or a whole file that has no index. */
interface Block {
  readonly source: Source;
  readonly frame: IndexedFrame | undefined;
}

/** The blocks of all files in their order, which are read when they are needed. */
export class Blocks {
  readonly all: readonly Block[];
  /** Whether there are more frames with other lines than are kept in memory. */
  readonly isMostlyOpen: boolean;
  readonly #loaded = new Map<number, LinkedLines>();
  readonly #unindexed = new Map<number, LinkedLines>();
  readonly #sets = new Map<IdSet, Uint32Array>();
  readonly #handles = new Map<Source, FileHandle>();
  #unindexedBytes = 0;

  constructor(sources: readonly Source[], indexed: readonly IndexedFile[]) {
    const bySource = new Map(indexed.map(({ source, index }) => [source, index]));
    const all = sources.flatMap((source) => {
      const frames: readonly (IndexedFrame | undefined)[] = bySource.get(source)?.frames ?? [
        undefined,
      ];
      return frames.map((frame): Block => ({ source, frame }));
    });
    this.all = all;
    this.isMostlyOpen = all.filter(({ frame }) => frame?.isOurs === false).length > LOADED_MAX;
  }

  /** Whether a block has lines that no index describes. */
  isOpen(block: number): boolean {
    return this.all[block]?.frame?.isOurs !== true;
  }

  /** Whether a block may have an id that begins with a text, as a record's own or as its cause's. */
  mayHave(block: number, begin: string, kind: 'ids' | 'parents'): boolean {
    const set = this.all[block]?.frame?.[kind];
    if (set === undefined || this.isOpen(block)) return true;
    return mayHaveId(this.#valuesOf(set), set.bits, begin);
  }

  /** Returns the lines of a block; throws if they cannot be read, or are not what the index says. */
  async linesOf(block: number): Promise<LinkedLines> {
    const known = this.#loaded.get(block) ?? this.#unindexed.get(block);
    if (known !== undefined) return known;
    const { source, frame } = this.all[block] ?? {};
    if (source === undefined) throw new RangeError('no such block');
    if (frame === undefined) {
      const lines = new LinkedLines(await this.#wholeText(source));
      this.#unindexed.set(block, lines);
      return lines;
    }
    const handle = this.#handles.get(source) ?? (await open(source.original));
    this.#handles.set(source, handle);
    const lines = new LinkedLines(await textOf(handle, frame));
    if (lines.lines !== frame.lines) throw new Error('a frame has other lines than the index says');
    const [oldest] = this.#loaded.keys();
    if (oldest !== undefined && this.#loaded.size === LOADED_MAX) this.#loaded.delete(oldest);
    this.#loaded.set(block, lines);
    return lines;
  }

  async close(): Promise<void> {
    for (const handle of this.#handles.values()) await handle.close();
  }

  #valuesOf(set: IdSet): Uint32Array {
    const known = this.#sets.get(set);
    if (known !== undefined) return known;
    const values = valuesOf(set);
    this.#sets.set(set, values);
    return values;
  }

  async #wholeText(source: Source): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of readText(source.file)) {
      if (!Buffer.isBuffer(part)) throw new Error(part.why);
      this.#unindexedBytes += part.length;
      if (this.#unindexedBytes > UNINDEXED_MAX) throw new Error('too much has no index');
      parts.push(part);
    }
    return Buffer.concat(parts);
  }
}
