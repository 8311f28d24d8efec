import { HOUR_NS } from '../../select/time.ts';
import type { Store } from '../connect.ts';
import { tableOf } from '../schema/literal.ts';
import { HOUR } from '../schema/tables.ts';
import { hoursOf, type Parts } from './place.ts';

/**
 * Returns how many execs have arrived from nodes and are no longer in the store, by the number of the part
 * of the time and the name of the node.
 */
export async function deletedOn(
  store: Store,
  onNodes: string,
  parts: Parts,
): Promise<ReadonlyMap<string, number>> {
  const found = await lackingOn(store, onNodes, parts);
  if (found.size === 0) return found;
  // What arrived meanwhile may have been counted at one place only.
  const again = await lackingOn(store, onNodes, parts);
  return new Map(
    [...again].flatMap(([key, lacking]): [string, number][] => {
      const before = found.get(key);
      return before === undefined ? [] : [[key, Math.min(before, lacking)]];
    }),
  );
}

async function lackingOn(
  store: Store,
  onNodes: string,
  parts: Parts,
): Promise<ReadonlyMap<string, number>> {
  const { since, until, step } = parts;
  // The projection `by_hour` answers what is asked in its own words, without reading a record.
  const hours = [
    ...(since === undefined ? [] : [`${HOUR} >= ${since / HOUR_NS}`]),
    ...(until === undefined ? [] : [`${HOUR} < ${(until + HOUR_NS - 1n) / HOUR_NS}`]),
  ].join(' AND ');
  const part =
    step === undefined || since === undefined
      ? '0'
      : `intDiv(begin * ${HOUR_NS} - ${since}, ${step})`;
  const rows = await store.rows<{ part: string; node: string; lacking: string }>(
    `SELECT toString(${part}) AS part, node, toString(sum(arrived - there)) AS lacking
     FROM (
       SELECT node, begin, sum(count) AS arrived, sum(left) AS there
       FROM (
         SELECT node, toInt64(intDiv(toUnixTimestamp(hour), 3600)) AS begin,
           toInt64(groupBitmapMerge(seqs)) AS count, toInt64(0) AS left
         FROM ${tableOf(store, 'coverage')} WHERE ${onNodes} AND ${hoursOf(parts).within}
         GROUP BY node, boot_id, hook_id, cpu, hour
         UNION ALL
         SELECT node, ${HOUR} AS begin, toInt64(0) AS count, toInt64(count()) AS left
         FROM ${tableOf(store, 'records')} WHERE ${onNodes} AND action = 'exec' AND ${hours || 'true'}
         GROUP BY node, begin)
       GROUP BY node, begin HAVING there < arrived)
     GROUP BY part, node`,
  );
  return new Map(rows.map(({ part, node, lacking }) => [`${part} ${node}`, Number(lacking)]));
}
