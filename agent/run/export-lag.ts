import type { JournalExport } from '../export/journal-export.ts';
import { isSame } from '../export/read/position.ts';
import { countLines, timeAt } from '../journal/measure.ts';
import type { Session } from './session/session.ts';

/** How far the export is behind the journal. */
export interface Lag {
  readonly seconds: number;
  /** undefined while the records that earlier runs left are being counted */
  readonly records: number | undefined;
}

/**
 * Creates a function that returns the lag of an export; call it before this run writes its first
 * line. The records that earlier runs left are counted once, from when the lag is first asked for.
 */
export function createLagReader(
  dir: string,
  { journal, lineage }: Session,
  journalExport: JournalExport,
): () => Promise<Lag> {
  const [from, end, doneBefore] = [journalExport.position, journal.position, doneBy(journalExport)];
  let left: number | undefined;
  let counting: Promise<void> | undefined;
  let waitsSince: number | undefined;
  async function count(): Promise<void> {
    try {
      left = await countLines(dir, from, end);
    } catch {
      counting = undefined; // the disk may give them back later
    }
  }
  return async () => {
    if (isSame(journalExport.position, journal.position)) return { seconds: 0, records: 0 };
    counting ??= count();
    if (isSame(from, end)) await counting;
    // Until a record is exported, the first one that waits says how old the lag is.
    if (journalExport.statistics.lastRecordTime === 0) waitsSince ??= await timeAt(dir, from);
    const { records, losses } = lineage.counts;
    const lines = 1 + records + losses; // 1: journal.start
    const waiting = (before: number) =>
      Math.max(0, before + lines - (doneBy(journalExport) - doneBefore));
    return {
      seconds: journalExport.lagSeconds || secondsSince(waitsSince),
      records: left === undefined ? undefined : waiting(left),
    };
  };
}

function secondsSince(time: number | undefined): number {
  return time === undefined ? 0 : Math.max(0, Date.now() / 1000 - time);
}

function doneBy({ statistics, keptBack }: JournalExport): number {
  const { exported, rejected, deadLetters } = statistics;
  return exported + rejected + deadLetters + [...keptBack.values()].reduce((a, b) => a + b, 0);
}
