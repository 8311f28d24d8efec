import type { Answer } from '../../select/tables.ts';

/** So many answers are kept, each with at most so many rows. */
const KEPT = 100;
const ROWS_MAX = 1000;

/** Answers to queries over tables that never change; a page often asks the same again. */
export class KnownAnswers {
  readonly #known = new Map<string, Answer>();

  /** Returns what is known, or asks. */
  async of(sql: string, ask: () => Promise<Answer>): Promise<Answer> {
    const known = this.#known.get(sql);
    const answer = known ?? (await ask());
    this.#known.delete(sql);
    if (answer.rows.length <= ROWS_MAX) this.#known.set(sql, answer);
    const [oldest] = this.#known.keys();
    if (this.#known.size > KEPT && oldest !== undefined) this.#known.delete(oldest);
    return answer;
  }
}
