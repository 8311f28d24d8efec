import { statSync } from 'node:fs';
import { setPriority } from 'node:os';
import { zstdCompressSync } from 'node:zlib';
import { KEYS } from '../../record/fields.ts';
import { parseTime, TIME_FORMS } from '../../record/since.ts';
import type { Config } from '../config/schema.ts';
import { AgentError } from '../errors.ts';
import { type OnUnreadable, readLines } from '../journal/read.ts';
import { type Position, type Segment, segmentFile } from '../journal/segment.ts';
import type { JournalLine } from '../journal/split-lines.ts';
import { createFormat, type PrintForm } from '../print/format.ts';
import { Stdout, WRITE_BYTES } from '../print/stdout.ts';
import { related } from './related.ts';
import { reportUnreadable, segmentsOf } from './segments.ts';

/** Reading a journal must not keep a processor from those who work. */
const NICENESS = 10;

/** The options of `vcml-agent cat`. */
export interface CatOptions {
  /** RFC 3339, or a duration back from now */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** NAME or NAMESPACE/NAME; the journal's own records are printed whatever the pod */
  readonly pod?: string | undefined;
  /** the id of a record, or its beginning: that record, its causes and what it caused */
  readonly id?: string | undefined;
  readonly print?: PrintForm | undefined;
  /** Whether to compress what is printed, as zstd. */
  readonly zstd?: boolean | undefined;
}

type Test = (line: string) => boolean;

/**
 * Prints the journal's records as they are now, oldest first. Reports segments that cannot be read,
 * and returns another exit code then.
 */
export async function cat(config: Config, options: CatOptions): Promise<number> {
  setPriority(NICENESS);
  const unreadable = reportUnreadable();
  const lines = linesOf(config.journalDir, options, unreadable.note);
  const format = createFormat(options.zstd ? 'jsonl' : options.print);
  const stdout = new Stdout(1, options.zstd ? zstdCompressSync : undefined);
  for await (const line of lines) {
    stdout.write(format(line));
    if (stdout.bytes > WRITE_BYTES) await stdout.drained();
    if (stdout.closed) break;
  }
  await stdout.drained();
  return unreadable.exitCode;
}

/** Yields what the options select; throws TIME_INVALID or ID_INVALID before that. */
function linesOf(
  dir: string,
  options: CatOptions,
  onUnreadable: OnUnreadable,
): AsyncIterable<string> {
  const { id } = options;
  if (id !== undefined) {
    if (!/^[0-9a-f][0-9a-f-]{3,35}$/.test(id))
      throw new AgentError('ID_INVALID', { given: JSON.stringify(id) });
    return related({ dir, segments: segmentsOf(dir), onUnreadable }, id);
  }
  const from = momentOf('--since', options.since);
  const isWanted = testOf(options, from);
  return wanted(readLines(dir, startOf(dir, from), onUnreadable), isWanted);
}

async function* wanted(lines: AsyncIterable<JournalLine>, isWanted: Test): AsyncGenerator<string> {
  for await (const { line } of lines) if (isWanted(line)) yield line;
}

/** Makes the test for lines that the options select. */
function testOf({ until, pod }: CatOptions, from: bigint | undefined): Test {
  const before = momentOf('--until', until);
  const isInPod = pod === undefined ? () => true : podTest(pod);
  return (line) => {
    if (!isInPod(line)) return false;
    if (from === undefined && before === undefined) return true;
    const time = timestampOf(line);
    return (from === undefined || time >= from) && (before === undefined || time < before);
  };
}

/**
 * Looks for the fields in the line as the agent writes them: inside a string, their quotation marks
 * would be escaped.
 */
function podTest(pod: string): Test {
  const [name = '', namespace] = pod.split('/').toReversed();
  const fields = [`"${KEYS.podName}":${JSON.stringify(name)}`];
  if (namespace !== undefined) fields.push(`"${KEYS.namespace}":${JSON.stringify(namespace)}`);
  return (line) => line.includes('"action":"journal.') || fields.every((one) => line.includes(one));
}

/** Returns the time of an option in Unix nanoseconds; throws TIME_INVALID. */
function momentOf(flag: string, given: string | undefined): bigint | undefined {
  if (given === undefined) return undefined;
  const nanos = parseTime(given, Date.now());
  if (nanos !== undefined) return nanos;
  throw new AgentError('TIME_INVALID', { flag, given: JSON.stringify(given), forms: TIME_FORMS });
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
