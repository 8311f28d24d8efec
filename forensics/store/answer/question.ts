import { ForensicsError } from '../../errors.ts';
import type { Caused } from '../../select/caused.ts';
import {
  isPattern,
  mayBeName,
  type Selection,
  type TimeRange,
  timeRangeOf,
} from '../../select/filter.ts';
import { HOUR_NS } from '../../select/time.ts';
import { literal, literals } from '../schema/literal.ts';
import { HOUR } from '../schema/tables.ts';

/** What a store is asked for. */
export type Question = Selection &
  Caused & {
    /** the id of a record, or its beginning */
    readonly id?: string;
    /** what the record caused is asked for, too */
    readonly effects?: boolean;
    /** the causes of each record of a selection are asked for, too; those of a record with an id always are */
    readonly causes?: boolean;
  };

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Returns a condition in ClickHouse's SQL that holds for each record of a selection, and for others,
 * too: the answer is selected from what it matches.
 */
export function conditionFor(selection: Selection, nowMs: number): string {
  const { since, until } = timeRangeOf(selection, nowMs);
  const { namespace, pod, exe, arg, action, entry, gap } = selection;
  const all = [...placeConditions(selection, { since, until })];
  if (isExact(namespace)) all.push(`namespace = ${literal(namespace)}`);
  if (isExact(pod)) all.push(`pod = ${literal(pod.slice(pod.indexOf('/') + 1))}`);
  if (isExact(exe)) {
    const name = literal(exe);
    const paths = `executable = ${name} OR executable_name = ${name} OR object = ${name}`;
    const called = `endsWith(object, ${literal(`/${exe}`)}) OR object_truncated`;
    all.push(`(${mayBeName(exe) ? `${paths} OR ${called}` : paths})`);
  }
  if (isExact(arg)) all.push(`has(args, ${literal(arg)})`);
  if (isExact(action)) all.push(`action = ${literal(action)}`);
  if (entry !== undefined) all.push(`entry = ${literal(entry)}`);
  if (gap !== undefined) all.push('parent_cause IS NULL');
  if (selection.upperLayer) all.push('upper_layer');
  if (selection.memfd) all.push('memfd');
  if (selection.setuid) all.push('setuid');
  return all.join(' AND ') || 'true';
}

/** Returns the condition for what may cause a part of a selection, also long before its time. */
export function causingCondition(selection: Selection, nowMs: number): string {
  const { until } = timeRangeOf(selection, nowMs);
  const nodes = nodesOf(selection);
  const named = nodes === undefined ? [] : [`node IN (${literals(nodes)})`];
  return [timeCondition({ until }), ...named].join(' AND ');
}

/** Returns the nodes that a selection names exactly; undefined: it may be any. */
export function nodesOf({ node }: Selection): readonly string[] | undefined {
  return isExact(node) ? [node] : undefined;
}

/** Whether a text is a whole id, and not the beginning of one. */
export function isWholeId(id: string): boolean {
  return UUID.test(id);
}

/**
 * Returns the conditions for an id or its beginning, to be tried in this order. A whole id is looked for
 * at the times and on the node of a selection first, where it is found fast, and then anywhere.
 */
export function idConditions(id: string, selection: Selection, nowMs: number): string[] {
  const { since, until } = timeRangeOf(selection, nowMs);
  const places = [...placeConditions(selection, { since, until })];
  if (isWholeId(id)) {
    const isId = `id = toUUID(${literal(id)})`;
    return places.length === 0 ? [isId] : [[isId, ...places].join(' AND '), isId];
  }
  if (places.length === 0)
    throw new ForensicsError(
      'usage',
      `${JSON.stringify(id)} is the beginning of an id, which a store finds only at a time or on a node: add --since or --node, or the whole id`,
    );
  return [[`startsWith(toString(id), ${literal(id)})`, ...places].join(' AND ')];
}

/**
 * Returns the condition for a time. The hour is the first part of the order, and limits what is read only
 * if a condition names it.
 */
export function timeCondition({ since, until }: Partial<TimeRange>): string {
  const all = [
    ...(since === undefined ? [] : [`${HOUR} >= ${since / HOUR_NS}`, `timestamp >= ${since}`]),
    ...(until === undefined ? [] : [`${HOUR} <= ${until / HOUR_NS}`, `timestamp < ${until}`]),
  ];
  return all.join(' AND ') || 'true';
}

function* placeConditions({ node }: Selection, times: TimeRange): Generator<string> {
  if (times.since !== undefined || times.until !== undefined) yield timeCondition(times);
  if (isExact(node)) yield `node = ${literal(node)}`;
}

function isExact(pattern: string | undefined): pattern is string {
  return pattern !== undefined && pattern !== '' && !isPattern(pattern);
}
