import type { Journals } from '../journals.ts';
import type { Blocks } from './blocks.ts';
import { type FoundLine, type FoundLines, narrowFromId } from './found-lines.ts';

/**
 * Leaves out the lines that do not belong to the chain of a record (see narrowFromId). Of several ids
 * that begin so, a node may have only one.
 */
export function narrowToChain(journals: Journals, id: string, node?: string): Promise<void> {
  const follow = async (found: FoundLines, blocks: Blocks) => {
    const { waiting } = found;
    for (let child = waiting.pop(); child !== undefined; child = waiting.pop()) {
      const cause = await causeOf(blocks, child);
      if (cause !== undefined) found.add(cause);
    }
  };
  return narrowFromId(journals, id, follow, node !== undefined);
}

/**
 * Among records of the child's node with the same id, the cause is the last one before the child, or
 * the first.
 */
async function causeOf(
  blocks: Blocks,
  { block, line, parent }: FoundLine,
): Promise<FoundLine | undefined> {
  if (parent === undefined) return undefined;
  const node = (await blocks.linesOf(block)).nodeOf(line);
  const causesIn = (at: number) => linesWithId(blocks, at, parent, node);
  let later: readonly FoundLine[] = [];
  for (let at = block; at >= 0; at -= 1) {
    const found = await causesIn(at);
    const before = found.findLast((one) => at < block || one.line < line);
    if (before !== undefined) return before;
    if (at === block) later = found;
  }
  for (let at = block + 1; later.length === 0 && at < blocks.all.length; at += 1)
    later = await causesIn(at);
  return later[0];
}

async function linesWithId(
  blocks: Blocks,
  block: number,
  id: string,
  node: string,
): Promise<FoundLine[]> {
  if (!blocks.mayHave(block, id, 'ids')) return [];
  const lines = await blocks.linesOf(block);
  const own = lines.withId(id).filter(({ line }) => lines.nodeOf(line) === node);
  return own.map((line) => ({ ...line, block }));
}
