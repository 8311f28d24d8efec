import { Refusal } from '../refusal.ts';
import type { Answered, Question } from './question.ts';

/** What a field is in SQL. */
const FIELDS = new Map([
  ['node', 'node'],
  ['namespace', 'namespace'],
  ['pod', 'pod'],
  ['container', 'container'],
  ['image', 'image'],
  ['owner', 'owner'],
  ['user', 'uid'],
  ['exe', 'coalesce(executable, "object")'],
  ['action', '"action"'],
  ['gap', 'gap_reason'],
]);
const VALUES = 20;
const VALUES_MAX = 200;

/** Answers with the values that a field has in a selection, the most frequent first. */
export async function values({ memory, parameters, about, signal }: Question): Promise<Answered> {
  const column = FIELDS.get(about);
  if (column === undefined)
    throw new Refusal(
      404,
      `the values of these can be asked for: ${[...FIELDS.keys()].join(', ')}`,
    );
  const limit = parameters.number('limit', VALUES, VALUES_MAX);
  const part = (parameters.text('prefix') ?? '').toLowerCase();
  const { rows } = await memory.ask(parameters.selection, signal, ({ records, dialect, ask }) => {
    const text = `coalesce(${dialect.text(column)}, '')`;
    const isIn = `position(${dialect.literal(part)} IN lower(${text})) > 0`;
    return ask(
      `SELECT ${text} AS value, count(*) AS records FROM ${records} AS one
         WHERE ${text} <> '' ${part === '' ? '' : `AND ${isIn}`}
         GROUP BY value ORDER BY records DESC, value LIMIT ${limit}`,
    );
  });
  return { values: rows.map(([value, records]) => ({ value, records: Number(records) })) };
}
