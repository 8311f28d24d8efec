import type { Row } from './record-line.ts';

/** A start of an agent: from there on, its journal has these numbers. */
export interface Start {
  readonly id: string;
  readonly boot: string;
  readonly hook: string;
  /** by CPU: the first number; 1 for those that are not there */
  readonly nextSeq: readonly number[];
  /** Whether the record itself is among the rows. */
  readonly isThere: boolean;
}

/**
 * Yields rows of one node in the order of its journal. They come in the order of their boots and their
 * times in these, in which an exec that an agent left unread is before the start of the next agent,
 * although that one wrote it. Starts are in the same order. No more rows wait than a ring buffer holds.
 */
export async function* inJournalOrder(
  rows: AsyncIterable<Row>,
  starts: readonly Start[],
): AsyncGenerator<Row> {
  const places = new Map(starts.map(({ id }, place) => [id, place]));
  const byHook = Map.groupBy(starts.keys(), (place) => hookOf(starts[place]));
  const held = new Map<number, Row[]>();
  let current = -1;
  for await (const row of rows) {
    const start = row.action === 'journal.start' ? places.get(`${row.id}`) : undefined;
    if (start !== undefined) {
      current = Math.max(current, start);
      yield row;
      for (const one of take(held, current)) yield one;
      continue;
    }
    const run = runOf(row, starts, byHook);
    if (run <= current || starts[run]?.isThere !== true) yield row;
    else if (!held.get(run)?.push(row)) held.set(run, [row]);
  }
  for (const one of take(held, starts.length)) yield one;
}

/** The place of the last start that expects the number of an exec or a higher one; -1: there is none. */
function runOf(
  { action, boot_id, hook_id, cpu, seq }: Row,
  starts: readonly Start[],
  byHook: ReadonlyMap<string, readonly number[]>,
): number {
  if (action !== 'exec' || seq === null) return -1;
  const own = byHook.get(hookOf({ boot: `${boot_id}`, hook: `${hook_id}` })) ?? [];
  return own.findLast((place) => (starts[place]?.nextSeq[Number(cpu)] ?? 1) <= Number(seq)) ?? -1;
}

/** Removes the rows up to a run, and returns them in order. */
function take(held: Map<number, Row[]>, until: number): Row[] {
  const runs = [...held.keys()].filter((run) => run <= until).sort((a, b) => a - b);
  return runs.flatMap((run) => {
    const rows = held.get(run) ?? [];
    held.delete(run);
    return rows;
  });
}

/** A name of a hook for maps. */
export function hookOf(start: Pick<Start, 'boot' | 'hook'> | undefined): string {
  return `${start?.boot}/${start?.hook}`;
}
