import type { Stamped } from '../../completeness/numbers.ts';
import { HOUR_NS } from '../../select/time.ts';
import type { Store } from '../connect.ts';
import { tableOf } from '../schema/literal.ts';
import { type Parts, type Place, partOf } from './place.ts';

/** Reports of nodes whose clock was never set by more are not earlier than their numbers by more. */
const MARGIN_NS = 24n * HOUR_NS;

/** Numbers that a record about the journal names. */
export interface Reported extends Stamped, Place {
  readonly kind: 'lost' | 'deleted' | 'withheld';
  /** The report has no higher ones. */
  readonly isLast: boolean;
}

/** A loss of an unknown number. */
export interface UnknownLoss {
  readonly node: string;
  /** when it was reported */
  readonly at: bigint;
  /** the boot that has ended; empty: the loss is of no earlier boot */
  readonly boot: string;
}

/** What the agents of nodes have reported as lost or withheld. */
interface Reports {
  readonly reported: readonly Reported[];
  readonly unknown: readonly UnknownLoss[];
}

/**
 * Reads what agents have reported. That is done after it happened, but for a clock that was set; what was
 * lost at the end of a boot is reported in the next one.
 */
export async function reportsOn(store: Store, onNodes: string, parts: Parts): Promise<Reports> {
  const journal = tableOf(store, 'journal');
  const { since } = parts;
  const wasSet = `node GLOBAL IN (SELECT node FROM ${journal} WHERE ${onNodes}
    GROUP BY node, boot_id HAVING max(boot_offset) - min(boot_offset) > ${MARGIN_NS})`;
  const isUnknown = `action = 'journal.loss' AND loss_first_seq IS NULL`;
  const isAsked =
    since === undefined
      ? onNodes
      : `${onNodes} AND (timestamp >= ${since - MARGIN_NS} OR ${isUnknown} OR ${wasSet})`;
  const rows = await store.rows<
    Readonly<Record<'node' | 'boot' | 'hook' | 'cpu' | 'first' | 'last' | 'at', string>> & {
      readonly kind: Reported['kind'] | 'unknown';
      readonly ended: string;
      readonly highest: string;
    }
  >(
    `SELECT DISTINCT node, toString(boot_id) AS boot, action = 'journal.withheld' AS is_withheld,
       multiIf(is_withheld, 'withheld', loss_first_seq IS NULL, 'unknown',
         loss_stage = 'retention', 'deleted', 'lost') AS kind,
       if(is_withheld, withheld_hook_id, loss_hook_id) AS hook,
       toString(if(is_withheld, withheld_cpu, loss_cpu)) AS cpu, toString(timestamp) AS at,
       if(is_withheld, splitByChar('-', range)[1], toString(loss_first_seq)) AS first,
       if(is_withheld, splitByChar('-', range)[2], toString(loss_last_seq)) AS last,
       toString(arrayMax(one -> toInt64OrZero(splitByChar('-', one)[2]), withheld_ranges)) AS highest,
       if(kind = 'unknown', toString(id), '') AS loss,
       if(kind = 'unknown', ifNull(toString(loss_boot_id), ''), '') AS ended
     FROM ${journal} ARRAY JOIN if(action = 'journal.withheld', withheld_ranges, ['']) AS range
     WHERE ${isAsked} AND action IN ('journal.loss', 'journal.withheld')`,
  );
  const reported: Reported[] = [];
  const unknown: UnknownLoss[] = [];
  for (const { kind, at, highest, ended, ...row } of rows) {
    if (kind === 'unknown') {
      unknown.push({ node: row.node, at: BigInt(at), boot: ended });
      continue;
    }
    const [cpu, first, last] = [Number(row.cpu), Number(row.first), Number(row.last)];
    if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last)) continue;
    const part = partOf(BigInt(at), parts);
    reported.push({ ...row, kind, cpu, first, last, part, isLast: row.last === highest });
  }
  return { reported, unknown };
}
