import { completenessOf } from '../../completeness/sentence.ts';
import type { TimeRange } from '../../select/filter.ts';
import type { Store } from '../connect.ts';
import { arrivalsOf } from './arrivals.ts';

/** Says how complete the records of nodes are over the hours of a time; undefined: all nodes. */
export async function storeCompleteness(
  store: Store,
  nodes: readonly string[] | undefined,
  times: TimeRange,
): Promise<string> {
  return completenessOf((await arrivalsOf(store, nodes, times)).nodes, times);
}
