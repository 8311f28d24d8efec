import { conditionOf, type Selection } from './filter.ts';
import type { Words } from './words.ts';

/** Selects what the exec sessions of a user of the API server caused. */
export interface OfUser {
  readonly kubernetesUser?: string;
  /** the path of the API server's audit log, or the address of a table that has it */
  readonly auditLog?: string;
}

/** The columns that IS_SESSION reads. */
export const SESSION_COLUMNS = ['entry', 'authority_type', 'args'];
/** The entries that may carry the id of a request, in any table of records. */
export const IS_SESSION = `entry = 'exec' AND (authority_type = 'exec_request'
  OR ((args[1] = 'env' OR args[1] LIKE '%/env')
    AND args[2] LIKE '%=________-____-____-____-____________'))`;
/** Whether an entry ran the command of a probe or handler. A person may have run it. */
export const IS_MATCHED = `coalesce(authority_type IN ('probe', 'lifecycle'), false)`;

/** How many entries have no id in the places of a selection, so that they may be sessions of any user. */
export interface WithoutId {
  /** up to its end; what they caused may be in it, whenever they began */
  readonly all: number;
  readonly inTime: number;
  /** in its time, with the command of a probe or handler */
  readonly matched: number;
}

/** Returns the condition for the time and the places of a selection. What else it asks for is of effects. */
export function placeSql(selection: Selection, nowMs: number, words?: Words): string {
  const { since, until, node, namespace, pod, container, image, owner, label } = selection;
  const given = { since, until, node, namespace, pod, container, image, owner, label };
  const place = Object.entries(given).filter(([, value]) => value !== undefined);
  return conditionOf(Object.fromEntries(place), nowMs, words).sql;
}

/** Says how many entries may be sessions of any user; empty: none. */
export function unknownIn({ all, inTime, matched }: WithoutId): string {
  const counts = [
    [inTime - matched, ''],
    [matched, ' with the command of a probe or handler'],
    [all - inTime, ' before --since'],
  ] as const;
  const texts = counts.flatMap(([count, what]) =>
    count === 0 ? [] : [`${count} ${count === 1 ? 'entry' : 'entries'}${what}`],
  );
  return texts.length === 0 ? '' : `of unknown users, because they have no id: ${texts.join(', ')}`;
}
