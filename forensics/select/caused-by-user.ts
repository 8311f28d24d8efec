import { counted } from '../../record/describe.ts';
import type { StoredRecord } from '../../record/read.ts';
import { visible } from '../../record/visible.ts';
import type { AuditLog, AuditLogFor } from '../exec-requests/audit-log.ts';
import { claimedIdOf, type Verdict } from '../exec-requests/verdict.ts';
import type { Graph } from '../graph.ts';
import type { Journals } from '../journals.ts';
import { recordIn } from '../record-in.ts';
import type { Selection } from './filter.ts';
import { IS_MATCHED, IS_SESSION, placeSql, unknownIn, type WithoutId } from './of-user.ts';
import { hitsOf } from './ordered.ts';

/**
 * Finds the rows of the confirmed exec sessions of a user, and of everything that they caused, whenever and
 * wherever that was. A note says how many sessions nobody can be named for, and how many entries in the time and
 * the places of a selection have no id.
 */
export async function causedByUser(
  journals: Journals,
  graph: Graph,
  user: string,
  selection: Selection,
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
  const kinds = records.map((record) => judge.kindOf(record));
  const judged = rows.filter((_, index) => kinds[index] !== undefined);
  const unknown = unknownIn(await withoutId(journals, new Set(judged), selection));
  const sentence = sentenceOf(
    user,
    sessions,
    kinds.filter((kind) => kind !== undefined),
  );
  journals.notes = [...journals.notes, [sentence, unknown].filter(Boolean).join('; ')];
  return caused;
}

/** Counts the entries whose id the audit log does not judge: they have none, or only claim to. */
async function withoutId(
  journals: Journals,
  judged: ReadonlySet<number>,
  { since, ...anytime }: Selection,
): Promise<WithoutId> {
  const nowMs = Date.now();
  // A store has counted those that cannot have an id, and has sent few of them.
  const { all = 0, inTime = 0, matched = 0 } = journals.withoutId ?? {};
  const entries = journals.withoutId === undefined ? `entry = 'exec'` : IS_SESSION;
  const count = async (where: Selection, more = 'true') => {
    const condition = `${placeSql(where, nowMs)} AND ${entries} AND ${more}`;
    const found = await hitsOf(journals, 'links', condition);
    return found.filter((row) => !judged.has(row)).length;
  };
  const asked = { ...anytime, ...(since && { since }) };
  return {
    all: all + (await count(anytime)),
    inTime: inTime + (await count(asked)),
    matched: matched + (await count(asked, IS_MATCHED)),
  };
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
