import type { Entry, Journals } from '../journals.ts';

const TIMESTAMP = /"timestamp"\s*:\s*(-?\d+)/;

/** The next line of a journal. */
interface Head {
  readonly source: AsyncGenerator<Entry>;
  readonly entry: Entry;
  readonly time: bigint;
}

/** Returns the rows of a table for which a condition holds, in ascending order. */
export function hitsOf(journals: Journals, table: string, condition: string): Promise<number[]> {
  return journals.integers(
    `SELECT rowid FROM ${table} WHERE readable AND ${condition} ORDER BY rowid`,
  );
}

/**
 * Yields the lines of these rows (ascending) by time. Lines of one journal stay in its order, in
 * which a cause precedes its effects.
 */
export async function* entriesByTime(
  journals: Journals,
  rows: readonly number[],
): AsyncGenerator<Entry> {
  const sources = rowsByJournal(journals, rows).map((own) => journals.entries(own));
  try {
    const heads = (await Promise.all(sources.map(headOf))).filter((head) => head !== undefined);
    for (;;) {
      const first = heads.reduce(
        (earliest, { time }, at) => (time < (heads[earliest]?.time ?? 0n) ? at : earliest),
        0,
      );
      const head = heads[first];
      if (head === undefined) return;
      yield head.entry;
      const next = await headOf(head.source);
      heads.splice(first, 1, ...(next === undefined ? [] : [next]));
    }
  } finally {
    // Whoever needs no more lines leaves files open otherwise, which ends the process some time later.
    await Promise.all(sources.map((source) => source.return(undefined)));
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

/** Lines without a time come first. */
async function headOf(source: AsyncGenerator<Entry>): Promise<Head | undefined> {
  const { done, value: entry } = await source.next();
  if (done) return undefined;
  return { source, entry, time: BigInt(TIMESTAMP.exec(entry.text)?.[1] ?? 0) };
}
