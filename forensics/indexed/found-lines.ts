import type { Source } from '../inputs/source.ts';
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

/** A line of a block. */
export interface FoundLine extends LinkedLine {
  readonly block: number;
}

/** Finds what an answer needs beside the records with an id, and adds it. */
type Follow = (found: FoundLines, blocks: Blocks) => Promise<void>;

/**
 * Leaves out all lines but those with an id, or the beginning of one, and those that `follow` finds
 * from there, as far as indexes say where they are. Where that is not possible, nothing is left out.
 * Several ids that begin so are followed only if one of them may be meant.
 */
export async function narrowFromId(
  journals: Journals,
  id: string,
  follow: Follow,
  maySeveral = false,
): Promise<void> {
  if (!ID_BEGIN.test(id)) return;
  const { files, notes } = await indexedFiles(journals);
  if (files.length === 0) return journals.narrowed(notes);
  const blocks = new Blocks(journals.files, files);
  try {
    const found = new FoundLines();
    await found.addOthers(blocks);
    const isOne = await found.addBeginning(blocks, id.toLowerCase());
    if (isOne || maySeveral) await follow(found, blocks);
    const copies = await copiesOf(journals, blocks, found.lines);
    for (const [source, { file, numbers, left }] of copies) source.narrow(file, numbers, left);
  } catch {
    // Reading everything meets the reason, and says it.
  } finally {
    await blocks.close();
  }
  await journals.narrowed(notes);
}

/** Lines that an answer needs. */
export class FoundLines {
  /** by block */
  readonly lines = new Map<number, Set<number>>();
  /** lines that nobody has taken yet to follow their links */
  readonly waiting: FoundLine[] = [];

  add(line: FoundLine): void {
    const lines = this.#linesOf(line.block);
    if (lines.has(line.line)) return;
    lines.add(line.line);
    this.waiting.push(line);
  }

  /** Adds the lines that no index describes. */
  async addOthers(blocks: Blocks): Promise<void> {
    if (blocks.isMostlyOpen) throw new Error('too many frames have other lines');
    let count = 0;
    for (const block of blocks.all.keys()) {
      if (!blocks.isOpen(block)) continue;
      const { others, linksOfOthers } = await blocks.linesOf(block);
      count += others.length;
      if (count > OTHERS_MAX) throw new Error('too many lines are not written by the agent');
      for (const line of others) this.#linesOf(block).add(line);
      for (const line of linksOfOthers) this.waiting.push({ ...line, block });
    }
  }

  /**
   * Adds the lines whose id begins with a text. Returns false if there are several ids, so that the
   * text means none of them.
   */
  async addBeginning(blocks: Blocks, begin: string): Promise<boolean> {
    const ids = new Set<string>();
    for (const block of blocks.all.keys()) {
      if (!blocks.mayHave(block, begin, 'ids')) continue;
      for (const line of (await blocks.linesOf(block)).beginningWith(begin)) {
        ids.add(line.id);
        this.add({ ...line, block });
      }
    }
    return ids.size <= 1 || begin.length === WHOLE_ID;
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
  wanted: FoundLines['lines'],
): Promise<Map<Source, Kept>> {
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
