import type { Exporter } from '../export/exporter.ts';
import { countLines, timeAt } from '../journal/measure.ts';
import type { Position } from '../journal/segment.ts';
import type { Session } from './session.ts';

/** How far an export is behind its journal. */
export interface Lag {
  readonly seconds: number;
  /** undefined: what earlier runs left is being counted */
  readonly records: number | undefined;
}

/**
 * Tells the lag of an exporter; called before this run's first line is written. What earlier runs left
 * to be exported is counted once, when somebody asks for the first time.
 */
export function createLagReader(
  dir: string,
  { journal, lineage }: Session,
  exporter: Exporter,
): () => Promise<Lag> {
  const [from, end, doneBefore] = [exporter.position, journal.position, doneBy(exporter)];
  let left: number | undefined;
  let counting: Promise<void> | undefined;
  let waitsSince: number | undefined;
  return async () => {
    if (isSame(exporter.position, journal.position)) return { seconds: 0, records: 0 };
    counting ??= countLines(dir, from, end).then((lines) => {
      left = lines;
    });
    if (isSame(from, end)) await counting;
    // Until something is exported, it is the first that waits.
    if (exporter.statistics.lastRecordTime === 0) waitsSince ??= await timeAt(dir, from);
    const { records, losses } = lineage.counts;
    const lines = 1 + records + losses; // 1: journal.start
    const waiting = (before: number) =>
      Math.max(0, before + lines - (doneBy(exporter) - doneBefore));
    return {
      seconds: exporter.lagSeconds || secondsSince(waitsSince),
      records: left === undefined ? undefined : waiting(left),
    };
  };
}

function secondsSince(time: number | undefined): number {
  return time === undefined ? 0 : Math.max(0, Date.now() / 1000 - time);
}

function doneBy({ statistics, keptBack }: Exporter): number {
  const { exported, rejected, deadLetters } = statistics;
  return exported + rejected + deadLetters + [...keptBack.values()].reduce((a, b) => a + b, 0);
}

function isSame(a: Position, b: Position): boolean {
  return a.segment === b.segment && a.offset === b.offset;
}
