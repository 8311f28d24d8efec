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

/** Reads what whereText() writes; throws Refused for anything else. */
export function readWhere(text: string): Where {
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
  throw new Refused('its selection cannot be read');
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
