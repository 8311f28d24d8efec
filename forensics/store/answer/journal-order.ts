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
 * Rows before the time `from` are left out if they are not of the run of a start that is there.
 */
export async function* inJournalOrder(
  rows: AsyncIterable<Row>,
  starts: readonly Start[],
  from: bigint,
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
    if (starts[run]?.isThere !== true) {
      if (BigInt(row.timestamp) >= from) yield row;
    } else if (run <= current || row.action !== 'exec') yield row;
    else if (!held.get(run)?.push(row)) held.set(run, [row]);
  }
  for (const one of take(held, starts.length)) yield one;
}

/**
 * The place of the last start that expects the number of an exec, or the last one of a record of withheld
 * execs, or a higher one; -1: there is none.
 */
function runOf(
  row: Row,
  starts: readonly Start[],
  byHook: ReadonlyMap<string, readonly number[]>,
): number {
  const { hook, cpu, number } = numberOf(row);
  if (number === undefined) return -1;
  const own = byHook.get(hookOf({ boot: `${row.boot_id}`, hook })) ?? [];
  return own.findLast((place) => (starts[place]?.nextSeq[cpu] ?? 1) <= number) ?? -1;
}

/** The number of an exec, or the last one of a record of withheld execs, and whose it is. */
function numberOf(row: Row): { hook: string; cpu: number; number?: number } {
  const { action, hook_id, cpu, seq, withheld_hook_id, withheld_cpu, withheld_ranges } = row;
  if (action !== 'journal.withheld')
    return {
      hook: `${hook_id}`,
      cpu: Number(cpu),
      ...(action === 'exec' && seq !== null && { number: Number(seq) }),
    };
  const ranges = withheld_ranges as readonly string[] | null;
  const ends = (ranges ?? []).map((range) => Number(range.split('-')[1]));
  return {
    hook: `${withheld_hook_id}`,
    cpu: Number(withheld_cpu),
    ...(ends.length > 0 && { number: Math.max(...ends) }),
  };
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
