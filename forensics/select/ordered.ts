import type { Entry, Journals } from '../journals.ts';

/** Rows of a scan, and their times. */
export interface Hits {
  /** rising */
  readonly rows: readonly number[];
  /** Unix nanoseconds by row; none: as early as can be */
  readonly times: ReadonlyMap<number, bigint>;
}

/** The rows of a table with `timestamp` for which a condition holds. */
export async function hitsOf(journals: Journals, table: string, condition: string): Promise<Hits> {
  const found = await journals.rows(
    `SELECT rowid, "timestamp" FROM ${table} WHERE readable AND ${condition} ORDER BY rowid`,
  );
  const rows: number[] = [];
  const times = new Map<number, bigint>();
  for (const [row, time] of found) {
    rows.push(Number(row));
    if (typeof time === 'bigint') times.set(Number(row), time);
  }
  return { rows, times };
}

/** Lines by time; those of one journal stay in its order, in which a cause is before its effects. */
export async function* entriesByTime(journals: Journals, hits: Hits): AsyncGenerator<Entry> {
  const sources = rowsByJournal(journals, hits.rows).map((rows) => journals.entries(rows));
  const heads = await Promise.all(
    sources.map(async (source) => ({ source, head: await next(source) })),
  );
  for (;;) {
    let first: (typeof heads)[number] | undefined;
    for (const one of heads)
      if (one.head && (!first?.head || timeOf(hits, one.head) < timeOf(hits, first.head)))
        first = one;
    if (first?.head === undefined) return;
    yield first.head;
    first.head = await next(first.source);
  }
}

function rowsByJournal(journals: Journals, rows: readonly number[]): number[][] {
  const lists = new Map<string, number[]>();
  let at = 0;
  for (const [index, { first, count }] of journals.extents.entries()) {
    const journal = journals.files[index]?.journal ?? '';
    const list = lists.get(journal) ?? [];
    lists.set(journal, list);
    for (; at < rows.length && (rows[at] ?? 0) < first + count; at += 1) list.push(rows[at] ?? 0);
  }
  return [...lists.values()].filter((list) => list.length > 0);
}

async function next(source: AsyncGenerator<Entry>): Promise<Entry | undefined> {
  const { done, value } = await source.next();
  return done ? undefined : value;
}

function timeOf({ times }: Hits, { row }: Entry): bigint {
  return times.get(row) ?? 0n;
}
