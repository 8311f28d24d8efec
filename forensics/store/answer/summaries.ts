import { visible } from '../../../record/visible.ts';
import { type GapsOptions, printGaps } from '../../commands/gaps.ts';
import { printStats, type StatsOptions } from '../../commands/stats.ts';
import { ForensicsError } from '../../errors.ts';
import { remark } from '../../output/stderr.ts';
import { flush } from '../../output/stdout.ts';
import { type Times, timeRangeOf } from '../../select/filter.ts';
import type { Tables } from '../../select/tables.ts';
import { storeCompleteness } from '../arrivals/completeness.ts';
import { type ConnectionOptions, connect } from '../connect.ts';
import { refuseOtherSchema } from '../refuse.ts';
import { conditionFor, nodesOf } from './question.ts';
import { tablesOf } from './tables.ts';

/** Which records of a store are summed up. */
export type Summed = Times & ConnectionOptions;

/** Prints what is missing in a store; the server computes it. */
export function storeGaps(address: string, options: GapsOptions & Summed): Promise<number> {
  return summary(address, options, (tables) => printGaps(tables, options));
}

/** Prints how many records a store has; the server counts them. */
export function storeStats(address: string, options: StatsOptions & Summed): Promise<number> {
  return summary(address, options, (tables) => printStats(tables, options));
}

async function summary(
  address: string,
  options: Summed,
  print: (tables: Tables) => Promise<void>,
): Promise<number> {
  const { since, until, node } = options;
  const selection = { ...(since && { since }), ...(until && { until }), ...(node && { node }) };
  if (since === undefined)
    throw new ForensicsError(
      'usage',
      'name a time with --since, because a store has the records of all nodes; --since 100w reads everything',
    );
  const nodes = nodesOf(selection);
  if (node !== undefined && nodes === undefined)
    throw new ForensicsError('usage', 'in a store, --node of gaps and stats is a whole name');
  await using store = connect(address, options);
  await refuseOtherSchema(store);
  const nowMs = Date.now();
  await print(tablesOf(store, conditionFor(selection, nowMs)));
  await flush();
  remark(visible(await storeCompleteness(store, nodes, timeRangeOf(selection, nowMs))));
  return 0;
}
