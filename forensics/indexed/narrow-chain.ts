import type { Journals } from '../journals.ts';
import type { Blocks } from './blocks.ts';
import { type FoundLine, narrowFromId } from './found-lines.ts';

/** Leaves out the lines that do not belong to the chain of a record (see narrowFromId). */
export function narrowToChain(journals: Journals, id: string): Promise<void> {
  return narrowFromId(journals, id, async (found, blocks) => {
    const { waiting } = found;
    for (let child = waiting.pop(); child !== undefined; child = waiting.pop()) {
      const cause = await causeOf(blocks, child);
      if (cause !== undefined) found.add(cause);
    }
  });
}

/** Among records with the same id, the cause is the last one before the child, or the first. */
async function causeOf(
  blocks: Blocks,
  { block, line, parent }: FoundLine,
): Promise<FoundLine | undefined> {
  if (parent === undefined) return undefined;
  let later: readonly FoundLine[] = [];
  for (let at = block; at >= 0; at -= 1) {
    const found = await linesWithId(blocks, at, parent);
    const before = found.findLast((one) => at < block || one.line < line);
    if (before !== undefined) return before;
    if (at === block) later = found;
  }
  for (let at = block + 1; later.length === 0 && at < blocks.all.length; at += 1)
    later = await linesWithId(blocks, at, parent);
  return later[0];
}

async function linesWithId(blocks: Blocks, block: number, id: string): Promise<FoundLine[]> {
  if (!blocks.mayHave(block, id, 'ids')) return [];
  const lines = (await blocks.linesOf(block)).withId(id);
  return lines.map((line) => ({ ...line, block }));
}
