import { counted } from '../../record/describe.ts';
import type { Graph } from '../graph.ts';
import type { Journals } from '../journals.ts';
import { carries, MAY_CARRY, uncertainty } from './of-trace.ts';
import { hitsOf } from './ordered.ts';

/**
 * Finds the rows of the execs that carry a trace, and of everything that they caused, whenever and wherever
 * that was. Notes say how many there are, and how many of a selection, which is a condition, may carry it.
 */
export async function causedByTrace(
  journals: Journals,
  graph: Graph,
  trace: string,
  selection: string,
): Promise<ReadonlySet<number>> {
  const caused = new Set(await hitsOf(journals, 'links', carries(trace)));
  const carrying = caused.size;
  for (const row of caused) for (const effect of graph.childrenOf(row)) caused.add(effect);
  const uncertain = await hitsOf(journals, 'links', `${selection} AND ${MAY_CARRY}`);
  const effects = caused.size - carrying;
  journals.notes = [
    ...journals.notes,
    `--trace ${trace}: ${counted(carrying, 'exec')} with it, and ${effects} more that they caused`,
    ...uncertainty(uncertain.filter((row) => !caused.has(row)).length),
  ];
  return caused;
}
