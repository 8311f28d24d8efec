import type { Journals } from '../journals.ts';
import { Blocks } from './blocks.ts';
import { indexedFiles } from './indexed-files.ts';
import { type Kept, KeptLines } from './kept-lines.ts';
import type { LinkedLine } from './linked-lines.ts';

/** An id as the agent writes it, or the beginning of one, in any case. */
const ID_BEGIN = /^[0-9a-f]{4,8}$|^[0-9a-f]{8}(-[0-9a-f]{0,4}){0,3}(-[0-9a-f]{0,12})?$/i;
const WHOLE_ID = 36;
/** Files with more other lines than this are not the agent's. */
const OTHERS_MAX = 10_000;

/** A line whose cause is to be found. */
interface Linked extends LinkedLine {
  readonly block: number;
}

/**
 * Leaves out the lines that do not belong to the chain of a record, as far as indexes say which they
 * are. Where that is not possible, nothing is left out.
 */
export async function narrowToChain(journals: Journals, id: string): Promise<void> {
  if (!ID_BEGIN.test(id)) return;
  const { files, notes } = await indexedFiles(journals);
  if (files.length === 0) return journals.narrowed(notes);
  const blocks = new Blocks(journals.files, files);
  try {
    const chain = new ChainLines(blocks);
    await chain.find(id.toLowerCase());
    const copies = await copiesOf(journals, blocks, chain.lines);
    for (const [source, { file, numbers, left }] of copies) source.narrow(file, numbers, left);
  } catch {
    // Reading everything meets the reason, and says it.
  } finally {
    await blocks.close();
  }
  await journals.narrowed(notes);
}

/** The lines of a chain, and lines that no index describes. */
class ChainLines {
  /** by block */
  readonly lines = new Map<number, Set<number>>();
  readonly #blocks: Blocks;
  readonly #waiting: Linked[] = [];

  constructor(blocks: Blocks) {
    this.#blocks = blocks;
  }

  async find(begin: string): Promise<void> {
    await this.#addOthers();
    const ids = new Set<string>();
    for (const block of this.#blocks.all.keys()) {
      if (!this.#blocks.mayHave(block, begin, 'ids')) continue;
      for (const line of (await this.#blocks.linesOf(block)).beginningWith(begin)) {
        ids.add(line.id);
        this.#add({ ...line, block });
      }
    }
    // Several records begin like that, and none has a chain.
    if (ids.size > 1 && begin.length < WHOLE_ID) return;
    for (let child = this.#waiting.pop(); child !== undefined; child = this.#waiting.pop()) {
      const cause = await this.#causeOf(child);
      if (cause !== undefined) this.#add(cause);
    }
  }

  async #addOthers(): Promise<void> {
    if (this.#blocks.isMostlyOpen) throw new Error('too many frames have other lines');
    let count = 0;
    for (const block of this.#blocks.all.keys()) {
      if (!this.#blocks.isOpen(block)) continue;
      const { others, linksOfOthers } = await this.#blocks.linesOf(block);
      count += others.length;
      if (count > OTHERS_MAX) throw new Error('too many lines are not written by the agent');
      for (const line of others) this.#linesOf(block).add(line);
      for (const line of linksOfOthers) this.#waiting.push({ ...line, block });
    }
  }

  /** Among records with the same id, the cause is the last one before the child, or the first. */
  async #causeOf({ block, line, parent }: Linked): Promise<Linked | undefined> {
    if (parent === undefined) return undefined;
    const all = this.#blocks.all.length;
    const later: Linked[] = [];
    for (let at = block; at >= 0; at -= 1) {
      const found = await this.#withId(at, parent);
      const before = found.findLast((one) => at < block || one.line < line);
      if (before !== undefined) return before;
      if (at === block) later.push(...found);
    }
    for (let at = block + 1; later.length === 0 && at < all; at += 1)
      later.push(...(await this.#withId(at, parent)));
    return later[0];
  }

  async #withId(block: number, id: string): Promise<Linked[]> {
    if (!this.#blocks.mayHave(block, id, 'ids')) return [];
    const lines = (await this.#blocks.linesOf(block)).withId(id);
    return lines.map((line) => ({ ...line, block }));
  }

  #add(line: Linked): void {
    const lines = this.#linesOf(line.block);
    if (lines.has(line.line)) return;
    lines.add(line.line);
    this.#waiting.push(line);
  }

  #linesOf(block: number): Set<number> {
    const lines = this.lines.get(block) ?? new Set();
    this.lines.set(block, lines);
    return lines;
  }
}

/** Writes these lines of each file into a copy. */
async function copiesOf(
  journals: Journals,
  blocks: Blocks,
  wanted: ReadonlyMap<number, ReadonlySet<number>>,
): Promise<Map<Journals['files'][number], Kept>> {
  const copies = new Map(
    journals.files.map((source) => [source, new KeptLines(journals.temporaryFile())]),
  );
  for (const [block, { source, frame }] of blocks.all.entries()) {
    const kept = copies.get(source);
    const lines = wanted.get(block);
    if (lines === undefined && frame?.isOurs) kept?.skip(frame.lines);
    else {
      const linked = await blocks.linesOf(block);
      let line = -1;
      kept?.take(linked.text, linked.lines, () => {
        line += 1;
        return lines?.has(line) ?? false;
      });
    }
  }
  return new Map([...copies].map(([source, kept]) => [source, kept.end()]));
}
