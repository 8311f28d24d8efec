import type { Journals } from '../journals.ts';
import { narrowFromId } from './found-lines.ts';

/** A tree that is all over the journal is faster read from the whole. */
const READ_MAX = 100;

/**
 * Leaves out the lines that do not belong to what a record caused, down to a level (see narrowFromId).
 * What a record of another node with the same id caused stays, and the graph leaves it out.
 */
export function narrowToTree(journals: Journals, id: string, depth: number): Promise<void> {
  return narrowFromId(journals, id, async (found, blocks) => {
    let read = 0;
    // The level below the last one that is shown says which records have more.
    for (let level = 0; level <= depth + 1 && found.waiting.length > 0; level += 1) {
      const causes = new Set(found.waiting.splice(0).map((line) => line.id));
      for (const block of blocks.all.keys()) {
        const here = [...causes].filter((cause) => blocks.mayHave(block, cause, 'parents'));
        if (here.length === 0) continue;
        read += 1;
        if (read > READ_MAX) throw new Error('the tree is too large');
        for (const line of (await blocks.linesOf(block)).causedBy(new Set(here)))
          found.add({ ...line, block });
      }
    }
  });
}
