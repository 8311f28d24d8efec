import { setPriority } from 'node:os';
import { parseTime, TIME_FORMS } from '../../record/since.ts';
import type { Config } from '../config/schema.ts';
import { AgentError } from '../errors.ts';
import { IndexedSegments } from '../journal/indexed.ts';
import { chunksThere, reportDeleted } from '../journal/overtaken.ts';
import { type ChunksOf, type OnUnreadable, readText } from '../journal/read.ts';
import type { PrintForm } from '../print/format.ts';
import { Printer } from '../print/printer.ts';
import { neighborsOf } from './neighbors.ts';
import { related } from './related.ts';
import { reportUnreadable, segmentsOf } from './segments.ts';
import { isAll, type Selection, Selector } from './selection.ts';

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
  /** Whether to print the lines around the time, too, that tell whether records are missing in it. */
  readonly neighbors?: boolean | undefined;
  readonly print?: PrintForm | undefined;
  /** Whether to compress what is printed, as zstd. */
  readonly zstd?: boolean | undefined;
}

/**
 * Prints the journal's records as they are now, oldest first. Reports segments that cannot be read,
 * and returns another exit code then.
 */
export async function cat(config: Config, options: CatOptions): Promise<number> {
  setPriority(NICENESS);
  const unreadable = reportUnreadable();
  const indexed = new IndexedSegments(config.journalDir);
  const parts = partsOf(config.journalDir, options, { indexed, onUnreadable: unreadable.note });
  const printer = new Printer(options);
  for await (const lines of parts) {
    await printer.print(lines);
    if (printer.closed) break;
  }
  await printer.end();
  for (const remark of indexed.remarks) process.stderr.write(`vcml-agent: ${remark}\n`);
  return unreadable.exitCode;
}

/** How the journal is read. */
interface Reading {
  readonly indexed: IndexedSegments;
  readonly onUnreadable: OnUnreadable;
}

/** Yields the lines that the options select, several at a time; throws TIME_INVALID or ID_INVALID before that. */
function partsOf(
  dir: string,
  { id, since, until, pod, neighbors = false }: CatOptions,
  reading: Reading,
): AsyncIterable<Buffer> {
  if (id !== undefined) {
    if (!/^[0-9a-f][0-9a-f-]{3,35}$/.test(id))
      throw new AgentError('ID_INVALID', { given: JSON.stringify(id) });
    return encoded(related({ segments: segmentsOf(dir), ...reading }, id));
  }
  const selection = {
    from: momentOf('--since', since),
    before: momentOf('--until', until),
    pod,
  };
  return neighbors ? withNeighbors(dir, selection, reading) : selected(dir, selection, reading);
}

async function* withNeighbors(
  dir: string,
  selection: Selection,
  reading: Reading,
): AsyncGenerator<Buffer> {
  yield* selected(dir, selection, reading);
  const { lines, reachEnd } = await neighborsOf(
    { segments: segmentsOf(dir), ...reading },
    selection,
  );
  yield* lines;
  if (!reachEnd)
    process.stderr.write(
      'vcml-agent: --neighbors: the journal continues behind what was searched\n',
    );
}

async function* encoded(lines: AsyncIterable<string>): AsyncGenerator<Buffer> {
  for await (const line of lines) yield Buffer.from(`${line}\n`);
}

async function* selected(
  dir: string,
  selection: Selection,
  { indexed, onUnreadable }: Reading,
): AsyncGenerator<Buffer> {
  const selector = new Selector(selection);
  const chunksOf: ChunksOf = async function* (folder, segment, offset) {
    if (isAll(selection) || offset > 0) yield* chunksThere(folder, segment, offset);
    else if (selector.from === undefined || (await indexed.mayReach(segment, selector.from)))
      yield* indexed.chunks(segment, selector.mayHave);
  };
  const listed = segmentsOf(dir);
  const reporting = reportDeleted(chunksOf, onUnreadable, listed);
  const [first] = listed;
  const start = first && { segment: first.number, offset: 0 };
  for await (const { text } of readText(dir, start, onUnreadable, reporting))
    yield* selector.in(text);
}

/** Returns the time of an option in Unix nanoseconds; throws TIME_INVALID. */
function momentOf(flag: string, given: string | undefined): bigint | undefined {
  if (given === undefined) return undefined;
  const nanos = parseTime(given, Date.now());
  if (nanos !== undefined) return nanos;
  throw new AgentError('TIME_INVALID', { flag, given: JSON.stringify(given), forms: TIME_FORMS });
}
