import { counted } from '../../record/describe.ts';
import type { StoredRecord } from '../../record/read.ts';
import { visible } from '../../record/visible.ts';
import type { AuditLog, AuditLogFor } from '../exec-requests/audit-log.ts';
import { claimedIdOf, type Verdict } from '../exec-requests/verdict.ts';
import type { Graph } from '../graph.ts';
import type { Journals } from '../journals.ts';
import { recordIn } from '../record-in.ts';
import { IS_SESSION } from './of-user.ts';
import { hitsOf } from './ordered.ts';

/**
 * Finds the rows of the confirmed exec sessions of a user, and of everything that they caused, whenever and
 * wherever that was. A note says how many sessions nobody can be named for.
 */
export async function causedByUser(
  journals: Journals,
  graph: Graph,
  user: string,
  auditLogFor: AuditLogFor,
): Promise<ReadonlySet<number>> {
  const rows = await hitsOf(journals, 'links', IS_SESSION);
  const records: StoredRecord[] = [];
  for await (const { text } of journals.entries(rows)) records.push(recordIn(text));
  const log = await auditLogFor(records);
  const judge = new Judge(log, records);
  const caused = new Set(rows.filter((_, index) => judge.isOfUser(records[index], user)));
  const sessions = caused.size;
  for (const row of caused) for (const effect of graph.childrenOf(row)) caused.add(effect);
  const verdicts = records.flatMap((record) => judge.kindOf(record) ?? []);
  journals.notes = [...journals.notes, sentenceOf(user, sessions, verdicts)];
  return caused;
}

/** Judges the entries of sessions together: a request begins one, so that of two with its id none is known. */
export class Judge {
  readonly #verdicts: ReadonlyMap<StoredRecord, Verdict | undefined>;
  readonly #confirmed: ReadonlyMap<string | undefined, readonly StoredRecord[]>;

  constructor(log: AuditLog, records: readonly StoredRecord[]) {
    const verdicts = new Map(records.map((record) => [record, log.verdictOn(record)]));
    const confirmed = records.filter((record) => verdicts.get(record)?.kind === 'confirmed');
    this.#verdicts = verdicts;
    this.#confirmed = Map.groupBy(confirmed, claimedIdOf);
  }

  kindOf(record: StoredRecord): Verdict['kind'] | undefined {
    const kind = this.#verdicts.get(record)?.kind;
    const isDoubled = (this.#confirmed.get(claimedIdOf(record))?.length ?? 0) > 1;
    return kind === 'confirmed' && isDoubled ? 'ambiguous' : kind;
  }

  /** Whether a record is the entry of a session that the audit log confirms as that of a user. */
  isOfUser(record: StoredRecord | undefined, user: string): boolean {
    if (record === undefined || this.kindOf(record) !== 'confirmed') return false;
    const verdict = this.#verdicts.get(record);
    return verdict?.kind === 'confirmed' && verdict.request.username === user;
  }
}

const NOT_SELECTED: readonly (readonly [Verdict['kind'], string])[] = [
  ['contradicted', 'contradicted'],
  ['ambiguous', 'ambiguous'],
  ['undecided', 'undecided'],
  ['missing', 'not in the audit log'],
];

function sentenceOf(user: string, sessions: number, verdicts: readonly Verdict['kind'][]): string {
  const others = NOT_SELECTED.map(([kind, words]) => {
    const count = verdicts.filter((one) => one === kind).length;
    return count === 0 ? '' : `${count} ${words}`;
  }).filter((text) => text !== '');
  const confirmed = `--kubernetes-user ${visible(user)}: ${counted(sessions, 'exec session')} confirmed`;
  return others.length === 0
    ? confirmed
    : `${confirmed}; never selected, whoever they are of: ${others.join(', ')}`;
}
