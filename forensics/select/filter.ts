/** Turns a user's selection into a condition over the columns of `records`. */

import { LABEL_PREFIX } from '../../record/fields/resource.ts';
import { COLUMNS, OF_RESOURCE } from '../columns.ts';
import { ForensicsError } from '../errors.ts';
import { momentOf } from './time.ts';
import { DUCKDB, type Words } from './words.ts';

/** The options that select records; a record must match each given one. */
export interface Selection {
  readonly since?: string;
  readonly until?: string;
  readonly node?: string;
  readonly namespace?: string;
  readonly pod?: string;
  readonly container?: string;
  readonly image?: string;
  readonly owner?: string;
  readonly label?: readonly string[];
  readonly user?: string;
  readonly exe?: string;
  readonly arg?: string;
  readonly action?: string;
  readonly entry?: string;
  /** true: a gap of any reason */
  readonly gap?: string | true;
  readonly upperLayer?: boolean;
  readonly memfd?: boolean;
  readonly setuid?: boolean;
}

/** The times and the nodes of a selection. */
export type Times = Pick<Selection, 'since' | 'until' | 'node'>;

/** An SQL condition, which is never NULL, and the columns that it reads. */
export interface Condition {
  readonly sql: string;
  readonly columns: readonly string[];
}

/** Returns the condition for a selection; `true` for an empty one. */
export function conditionOf(selection: Selection, nowMs: number, words: Words = DUCKDB): Condition {
  const conditions = [...conditionsOf(selection, nowMs, words)];
  const sql = conditions.map((one) => `(${one})`).join(' AND ') || 'true';
  return { sql: `coalesce(${sql}, false)`, columns: COLUMNS.filter((name) => mentions(sql, name)) };
}

/** Returns the part of a selection that is about the resource alone; undefined: there is none. */
export function resourceConditionOf(selection: Selection, nowMs: number): Condition | undefined {
  const conditions = [...conditionsOf(selection, nowMs, DUCKDB)].filter((sql) => {
    const columns = COLUMNS.filter((name) => mentions(sql, name));
    return columns.length > 0 && columns.every((name) => OF_RESOURCE.includes(name));
  });
  if (conditions.length === 0) return undefined;
  const sql = conditions.map((one) => `(${one})`).join(' AND ');
  return { sql: `coalesce(${sql}, false)`, columns: COLUMNS.filter((name) => mentions(sql, name)) };
}

/** The times of a selection, in nanoseconds since 1970. */
export interface TimeRange {
  readonly since: bigint | undefined;
  /** the first that is not in it */
  readonly until: bigint | undefined;
}

/** Returns the times of a selection. */
export function timeRangeOf({ since, until }: Selection, nowMs: number): TimeRange {
  const from = since === undefined ? undefined : momentOf(since, nowMs);
  const to = until === undefined ? undefined : momentOf(until, nowMs);
  if (from !== undefined && to !== undefined && from >= to)
    throw new ForensicsError(
      'usage',
      `there is no time from ${since} until ${until}: the first must be earlier than the second`,
    );
  return { since: from, until: to };
}

/** Returns the condition for times and nodes alone. Agents send records around the times, too. */
export function within({ since, until, node }: Times): string {
  const times = { ...(since && { since }), ...(until && { until }), ...(node && { node }) };
  return conditionOf(times, Date.now()).sql;
}

function* conditionsOf(selection: Selection, nowMs: number, words: Words): Generator<string> {
  const { node, namespace, pod, container, image, owner } = selection;
  const { label = [], user, exe, arg, action, entry, gap } = selection;
  const { literal, startsWith } = words;
  const matching = (column: string, pattern: string) => matchingSql(column, pattern, words);
  const times = timeRangeOf(selection, nowMs);
  if (times.since !== undefined) yield `"timestamp" >= ${times.since}`;
  if (times.until !== undefined) yield `"timestamp" < ${times.until}`;
  if (node !== undefined) yield matching('"node"', node);
  if (namespace !== undefined) yield matching('"namespace"', namespace);
  if (pod !== undefined) yield podSql(pod, words);
  if (container !== undefined)
    yield `${matching('"container"', container)} OR ${startsWith('container_id', literal(container))}`;
  if (image !== undefined)
    yield `${matching('"image"', image)} OR ${matching('"image_id"', image)}`;
  if (owner !== undefined)
    yield matching(owner.includes('/') ? '"owner"' : words.behindSlash('owner'), owner);
  for (const one of label) yield labelSql(one, words);
  if (user !== undefined) yield userSql(user);
  if (exe !== undefined) {
    const named = ['executable', 'executable_name', 'object'].map((name) =>
      matching(`"${name}"`, exe),
    );
    if (mayBeName(exe)) {
      // A script and a command of busybox have their own names only here.
      named.push(matching(words.behindLastSlash('"object"'), exe), 'object_truncated');
    }
    // A cut path may be one of these; the name of the executable is whole.
    if (isPattern(exe)) named.push('executable_path_truncated');
    yield named.join(' OR ');
  }
  if (arg !== undefined) yield words.any('args', 'word', matching('word', arg));
  if (action !== undefined) yield matching('"action"', action);
  if (entry !== undefined) yield `entry = ${literal(entry)}`;
  if (gap === true)
    yield `parent_cause IS NULL AND NOT ${startsWith('permitted_by', "'root_event'")}`;
  else if (gap !== undefined) yield `gap_reason = ${literal(gap)}`;
  if (selection.upperLayer) yield 'upper_layer';
  if (selection.memfd) yield 'memfd';
  if (selection.setuid) yield 'setuid';
}

/**
 * Matches a text exactly, as a glob if it contains `*`, `?` or `[`, or as a regular expression
 * between slashes.
 */
function matchingSql(column: string, pattern: string, words: Words): string {
  const regex = regexIn(pattern);
  if (regex !== undefined) return words.matches(column, checked(regex));
  return isPattern(pattern) ? words.glob(column, pattern) : `${column} = ${words.literal(pattern)}`;
}

/** Whether several texts can match. */
export function isPattern(pattern: string): boolean {
  return regexIn(pattern) !== undefined || /[*?[]/.test(pattern);
}

/** Whether a text can match the name of a file, or is a whole path. */
export function mayBeName(pattern: string): boolean {
  return isPattern(pattern) || !pattern.includes('/');
}

/** A path such as /usr/bin/ ends with a slash as well, but does not name a file. */
function regexIn(pattern: string): string | undefined {
  return /^\/(.+)\/$/.exec(pattern)?.[1];
}

/**
 * The engines' regular expressions are RE2; one that JavaScript does not accept either is a mistake.
 */
function checked(regex: string): string {
  try {
    new RegExp(regex);
    return regex;
  } catch (cause) {
    throw new ForensicsError('usage', `/${regex}/: ${(cause as Error).message}`, { cause });
  }
}

function podSql(pod: string, words: Words): string {
  const [namespace, name] = /^([^/]+)\/([^/]+)$/.exec(pod)?.slice(1) ?? [];
  if (namespace === undefined || name === undefined) return matchingSql('"pod"', pod, words);
  const inNamespace = matchingSql('"namespace"', namespace, words);
  return `${inNamespace} AND ${matchingSql('"pod"', name, words)}`;
}

function labelSql(label: string, words: Words): string {
  const [key = '', ...value] = label.split('=');
  const column = words.inResource(`${LABEL_PREFIX}${key}`);
  if (value.length === 0) return `${column} IS NOT NULL`;
  return `${column} = ${words.literal(value.join('='))}`;
}

function userSql(user: string): string {
  const uid = user === 'root' ? '0' : user;
  if (!/^\d{1,10}$/.test(uid))
    throw new ForensicsError('usage', `--user ${JSON.stringify(user)}: must be a number, or root`);
  return `uid = ${uid} OR euid = ${uid} OR login_uid = ${uid}`;
}

function mentions(sql: string, column: string): boolean {
  return new RegExp(`\\b${column}\\b`).test(sql.replaceAll(/'(?:[^']|'')*'/g, ''));
}
