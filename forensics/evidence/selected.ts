import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Journals } from '../journals.ts';
import { checkedCondition } from '../select/condition.ts';
import type { Selection } from '../select/filter.ts';
import { hitsOf } from '../select/ordered.ts';
import { Refused } from './proof-text.ts';

/** The options of a selection that a proof can have, apart from its times. */
export type Where = Omit<Selection, 'since' | 'until' | 'action'>;

const TEXTS = [
  'node',
  'namespace',
  'pod',
  'container',
  'image',
  'owner',
  'user',
  'exe',
  'arg',
  'entry',
] as const satisfies readonly (keyof Where)[];
/** The options whose texts can be patterns. */
const PATTERNS: readonly string[] = TEXTS.filter((name) => name !== 'user' && name !== 'entry');
const FLAGS = ['upperLayer', 'memfd', 'setuid'] as const satisfies readonly (keyof Where)[];

/** The times of a selection, in Unix nanoseconds. */
export interface During {
  readonly since: bigint | undefined;
  readonly until: bigint | undefined;
}

/** Returns the options of a selection that are given, in one order. */
export function whereOf(selection: Where): Where {
  const names = [...TEXTS, 'label', 'gap', ...FLAGS] as const;
  const members = names.map((name) => [name, selection[name]] as const);
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

/** Returns the options as JSON, in one form. */
export function whereText(where: Where): string {
  return JSON.stringify(whereOf(where));
}

/** Says what a proof cannot be of, because verifiers may understand it differently; undefined: there is nothing. */
export function unclearIn(where: Where): string | undefined {
  for (const [name, value] of Object.entries(where))
    for (const text of [value].flat()) {
      if (typeof text !== 'string') continue;
      if (!text.isWellFormed() || text.includes('\0')) return `${name} is no text`;
      if (name === 'user' && !/^(root|[0-9]{1,10})$/.test(text))
        return 'a user is a number, or root';
      if (!PATTERNS.includes(name)) continue;
      if (/^\/.+\/$/s.test(text)) return `${name} is a regular expression`;
      if (/[*?[]/.test(text) && /[[\\]|[^\0-\x7f]/.test(text))
        return `${name} is a glob with "[", "\\" or a letter that is not ASCII`;
    }
  return undefined;
}

/** Reads what whereText() writes; throws Refused for anything else. */
export function readWhere(text: string): Where {
  const where = parsed(text);
  if (where === undefined) throw new Refused('its selection cannot be read');
  const unclear = unclearIn(where);
  if (unclear !== undefined) throw new Refused(`its selection is not clear: ${unclear}`);
  return where;
}

function parsed(text: string): Where | undefined {
  try {
    const where = JSON.parse(text);
    const areTexts = TEXTS.every((name) => ['undefined', 'string'].includes(typeof where[name]));
    const { label = [], gap = '' } = where;
    const isList = Array.isArray(label) && label.every((one) => typeof one === 'string');
    const isGap = gap === true || typeof gap === 'string';
    const areFlags = FLAGS.every((name) => [undefined, true].includes(where[name]));
    if (areTexts && isList && isGap && areFlags && whereText(where) === text) return where;
  } catch {
    // It is no JSON, or not of an object.
  }
  return undefined;
}

/** Returns the ids of the execs among some lines that a selection has, in their order. */
export async function selectedIn(lines: Buffer, where: Where, during: During): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'vcml-proof-'));
  try {
    const file = join(folder, 'lines.jsonl');
    writeFileSync(file, lines);
    const journals = await Journals.open([file]);
    try {
      const { sql, columns } = await checkedCondition(journals, where);
      const { since, until } = during;
      const conditions = [sql, `"action" = 'exec'`];
      if (since !== undefined) conditions.push(`"timestamp" >= ${since}`);
      if (until !== undefined) conditions.push(`"timestamp" < ${until}`);
      const read = [...new Set([...columns, 'action', 'timestamp'])];
      await journals.scan('proved', read, [`(${conditions.join(' AND ')}) AS hit`]);
      const rows = await hitsOf(journals, 'proved', 'hit');
      const ids: string[] = [];
      for await (const { text } of journals.entries(rows)) ids.push(JSON.parse(text).id);
      return ids;
    } finally {
      journals.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
