import type { Store } from '../connect.ts';
import { literal, tableOf } from '../schema/literal.ts';
import { countOf, type Parts } from './place.ts';

interface Loss {
  readonly node: string;
  readonly at: string;
  /** the boot that has ended; empty: the loss is of no earlier boot */
  readonly boot: string;
}

/**
 * Returns how many losses of an unknown number nodes have, by the number of the part of the time and the
 * name. What was lost at the end of a boot may be of any time from its last record to the report.
 */
export async function unknownLossesOn(
  store: Store,
  onNodes: string,
  parts: Parts,
): Promise<ReadonlyMap<string, number>> {
  const { since, until, step = 0n } = parts;
  const losses = await store.rows<Loss>(
    `SELECT DISTINCT node, toString(timestamp) AS at, toString(id) AS loss,
       ifNull(toString(loss_boot_id), '') AS boot
     FROM ${tableOf(store, 'journal')} WHERE ${onNodes} AND action = 'journal.loss'
       AND loss_first_seq IS NULL`,
  );
  const ends = await endsOf(store, losses);
  const counts = new Map<string, number>();
  for (const { node, at, boot } of losses) {
    const times = [BigInt(at), ends.get(`${boot} ${node}`) ?? BigInt(at)];
    const [from = 0n, to = 0n] = times.sort((one, other) => (one < other ? -1 : 1));
    for (let part = 0; part < countOf(parts); part += 1) {
      const begin = since === undefined ? undefined : since + BigInt(part) * step;
      const end = step === 0n || begin === undefined ? until : begin + step;
      if (begin !== undefined && to < begin) break;
      if (end !== undefined && from >= end) continue;
      counts.set(`${part} ${node}`, (counts.get(`${part} ${node}`) ?? 0) + 1);
    }
  }
  return counts;
}

/** Returns the time of the last record of each boot that has ended, by the boot and the node. */
async function endsOf(store: Store, losses: readonly Loss[]): Promise<Map<string, bigint>> {
  const boots = [...new Set(losses.map(({ boot }) => boot).filter((boot) => boot !== ''))];
  if (boots.length === 0) return new Map();
  const isAsked = `toString(boot_id) IN (${boots.map(literal).join(', ')})`;
  const rows = await store.rows<{ node: string; boot: string; last: string }>(
    `SELECT node, boot, toString(max(latest)) AS last
     FROM (
       SELECT node, toString(boot_id) AS boot, max(last_time) AS latest
       FROM ${tableOf(store, 'coverage')} WHERE ${isAsked} GROUP BY node, boot_id
       UNION ALL
       SELECT node, toString(boot_id) AS boot, max(timestamp) AS latest
       FROM ${tableOf(store, 'journal')} WHERE ${isAsked} GROUP BY node, boot_id)
     GROUP BY node, boot`,
  );
  return new Map(rows.map(({ node, boot, last }) => [`${boot} ${node}`, BigInt(last)]));
}
