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
  try {
    await journals.rows(`EXPLAIN SELECT 1 FROM records WHERE ${condition.sql}`);
  } catch (cause) {
    const { message } = cause as Error;
    const [, why] = /^(?!IO Error)[\w ]+: ([^\n]*)/.exec(message) ?? [];
    if (why === undefined) throw cause;
    throw new ForensicsError('usage', `the selection cannot be evaluated: ${why}`, { cause });
  }
  return condition;
}
