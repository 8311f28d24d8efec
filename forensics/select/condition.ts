import { ForensicsError } from '../errors.ts';
import type { Journals } from '../journals.ts';
import { type Condition, conditionOf, type Selection } from './filter.ts';

/**
 * Returns the condition for a selection. Throws an error of usage if DuckDB refuses an expression
 * in it, such as a regular expression with lookahead, which RE2 does not have.
 */
export async function checkedCondition(
  journals: Journals,
  selection: Selection,
  nowMs = Date.now(),
): Promise<Condition> {
  const condition = conditionOf(selection, nowMs);
  await journals.makeViews();
  await checkCondition((sql) => journals.rows(sql), 'records', condition);
  return condition;
}

/** Throws an error of usage if DuckDB refuses an expression of a condition over a table. */
export async function checkCondition(
  run: (sql: string) => Promise<unknown>,
  table: string,
  { sql }: Condition,
): Promise<void> {
  try {
    await run(`EXPLAIN SELECT 1 FROM ${table} WHERE ${sql}`);
  } catch (cause) {
    const { message } = cause as Error;
    const [, why] = /^(?!IO Error|INTERRUPT)[\w ]+: ([^\n]*)/.exec(message) ?? [];
    if (why === undefined) throw cause;
    throw new ForensicsError('usage', `the selection cannot be evaluated: ${why}`, { cause });
  }
}
