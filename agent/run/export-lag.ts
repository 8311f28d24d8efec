import type { Exporter } from '../export/exporter.ts';
import { readChunks, readLines } from '../journal/read.ts';
import { listSegments, type Position } from '../journal/segment.ts';
import type { Session } from './session.ts';

const LINE_FEED = 0x0a;

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

/** Unix seconds of the first record from a position on; undefined: there is none. */
export async function timeAt(dir: string, position?: Position): Promise<number | undefined> {
  for await (const { line } of readLines(dir, position)) {
    const [, seconds] = /"timestamp":(\d+)\d{9},/.exec(line) ?? [];
    return seconds === undefined ? undefined : Number(seconds);
  }
  return undefined;
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

/** Lines between two positions, as far as they can be read. */
async function countLines(dir: string, from: Position, end: Position): Promise<number> {
  let lines = 0;
  for (const segment of listSegments(dir)) {
    const { number } = segment;
    if (number < from.segment || number > end.segment) continue;
    const start = number === from.segment ? from.offset : 0;
    let rest = number === end.segment ? end.offset - start : Number.POSITIVE_INFINITY;
    try {
      for await (const chunk of readChunks(dir, segment, start)) {
        if (rest <= 0) break;
        lines += lineFeedsIn(chunk.subarray(0, Math.min(rest, chunk.length)));
        rest -= chunk.length;
      }
    } catch {} // the exporter passes over a segment that is damaged, and says so
  }
  return lines;
}

function lineFeedsIn(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) count++;
  return count;
}
