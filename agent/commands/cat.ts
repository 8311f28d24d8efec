import { statSync } from 'node:fs';
import { parseTime, TIME_FORMS } from '../../record/since.ts';
import type { Config } from '../config/schema.ts';
import { AgentError } from '../errors.ts';
import { readLines } from '../journal/read.ts';
import { type Position, type Segment, segmentFile } from '../journal/segment.ts';
import { createFormat, type PrintForm } from '../print/format.ts';
import { Stdout, WRITE_BYTES } from '../print/stdout.ts';
import { reportUnreadable, segmentsOf } from './segments.ts';

export interface CatOptions {
  /** RFC 3339, or a duration back from now */
  readonly since?: string | undefined;
  readonly print?: PrintForm | undefined;
}

/**
 * Prints the journal's records as they are now, oldest first. Reports segments that cannot be read,
 * and returns another exit code then.
 */
export async function cat(config: Config, options: CatOptions): Promise<number> {
  const from = options.since === undefined ? undefined : sinceOf(options.since);
  const start = startOf(config.journalDir, from);
  const format = createFormat(options.print);
  const stdout = new Stdout();
  const unreadable = reportUnreadable();
  for await (const { line } of readLines(config.journalDir, start, unreadable.note)) {
    if (from !== undefined && timestampOf(line) < from) continue;
    stdout.write(format(line));
    if (stdout.bytes > WRITE_BYTES) await stdout.drained();
    if (stdout.closed) break;
  }
  await stdout.drained();
  return unreadable.exitCode;
}

/** Returns the time of `--since` in Unix nanoseconds; throws SINCE_INVALID. */
function sinceOf(given: string): bigint {
  const nanos = parseTime(given, Date.now());
  if (nanos !== undefined) return nanos;
  throw new AgentError('SINCE_INVALID', { given: JSON.stringify(given), forms: TIME_FORMS });
}

/**
 * Returns where to begin. Segments that were closed before the time hold no later records; the last
 * one is still being written.
 */
function startOf(dir: string, from: bigint | undefined): Position | undefined {
  const segments = segmentsOf(dir);
  const first = segments.find(
    (segment, at) =>
      from === undefined || at === segments.length - 1 || mayReach(dir, segment, from),
  );
  return first && { segment: first.number, offset: 0 };
}

/** Returns whether a segment may hold such records. A file that is missing was compressed, or deleted because it was old. */
function mayReach(dir: string, segment: Segment, from: bigint): boolean {
  const stat = statSync(segmentFile(dir, segment), { bigint: true, throwIfNoEntry: false });
  return stat === undefined || stat.mtimeNs >= from;
}

/**
 * Reads the exact timestamp: it is beyond 2^53, so JSON.parse would round it. A line without one
 * counts as 0.
 */
function timestampOf(line: string): bigint {
  return BigInt(/"timestamp":(\d+)/.exec(line)?.[1] ?? 0);
}
