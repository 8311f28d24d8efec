import { rfc3339Of } from '../../record/time.ts';
import { ForensicsError } from '../errors.ts';
import { type Caused, isCaused } from '../select/caused.ts';
import type { Selection } from '../select/filter.ts';
import { momentOf } from '../select/time.ts';

/** An exact name, and no pattern. */
const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

const ID = /^[0-9a-f][-0-9a-f]{3,35}$/;

/** What an agent is asked for; a record must match each part that is given. */
export type Question = Pick<Selection, 'since' | 'until' | 'namespace' | 'pod'> &
  Caused & {
    /** the id of a record, or its beginning; nothing else is given with it */
    readonly id?: string;
    /** Whether only the records of the time may be in the answer, for SQL. */
    readonly isExact?: boolean;
  };

/** How agents are asked for the records around a time, which tell whether some are missing in it. */
export const NEIGHBORS = '--neighbors';

/**
 * Returns the arguments of `vcml-agent cat` for a question. An agent may print more than what was
 * asked for, because the answer is selected from it; it never prints less.
 */
export function argumentsOf(question: Question, nowMs: number): string[] {
  const { id, since, until, namespace, pod, isExact = false } = question;
  if (id !== undefined) return [`--id=${idOf(id)}`];
  // What the records of a pod come from may be elsewhere.
  const name = isCaused(question) ? undefined : podOf(namespace, pod);
  return [
    ...timeOf('--since', since, nowMs),
    ...timeOf('--until', until, nowMs),
    ...(name === undefined ? [] : [`--pod=${name}`]),
    ...(name === undefined && !isExact ? [NEIGHBORS] : []),
  ];
}

/** Returns an id as records have it; throws if none can begin so. */
function idOf(given: string): string {
  const id = given.toLowerCase();
  if (ID.test(id)) return id;
  throw new ForensicsError(
    'usage',
    `${JSON.stringify(given)} is not the id of a record, nor at least the first 4 characters of one`,
  );
}

/** An age is counted from here: the clock of a node may be another. */
function timeOf(flag: string, given: string | undefined, nowMs: number): string[] {
  if (given === undefined) return [];
  const time = rfc3339Of(momentOf(given, nowMs));
  if (time === undefined)
    throw new ForensicsError('usage', `${flag} ${given}: no clock has this time`);
  return [`${flag}=${time}`];
}

/** Undefined: the agent cannot match it, or there is none. */
function podOf(namespace: string | undefined, pod: string | undefined): string | undefined {
  const [name = '', within = namespace] = (pod ?? '').split('/').toReversed();
  if (!NAME.test(name)) return undefined;
  return within !== undefined && NAME.test(within) ? `${within}/${name}` : name;
}
