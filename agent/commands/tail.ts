import { type FileHandle, open } from 'node:fs/promises';
import type { Config } from '../config/schema.ts';
import { lastLineEnd } from '../files.ts';
import { chunksThere, reportDeleted } from '../journal/overtaken.ts';
import { followLines } from '../journal/read.ts';
import { type Position, type Segment, segmentFile } from '../journal/segment.ts';
import { createFormat, type PrintForm } from '../print/format.ts';
import { Stdout, WRITE_BYTES } from '../print/stdout.ts';
import { stopSignal } from '../stop-signal.ts';
import { reportUnreadable, segmentsOf } from './segments.ts';

/** Prints records as they are written, from now on, until a stop signal or a closed stdout. */
export async function tail(
  config: Config,
  options: { readonly print?: PrintForm | undefined },
): Promise<number> {
  const format = createFormat(options.print);
  const stdout = new Stdout();
  const stop = stopSignal();
  stop.addEventListener('abort', () => stdout.close());
  const listed = segmentsOf(config.journalDir);
  const end = await endOf(config.journalDir, listed);
  const unreadable = reportUnreadable();
  const chunksOf = reportDeleted(chunksThere, unreadable.note, listed);
  const lines = followLines(config.journalDir, end, stop, unreadable.note, chunksOf);
  for await (const { line } of lines) {
    stdout.write(format(line));
    if (stdout.bytes > WRITE_BYTES) await stdout.drained();
    if (stdout.closed) break;
  }
  return unreadable.exitCode;
}

/** The position after the last whole line. */
async function endOf(dir: string, listed: readonly Segment[]): Promise<Position | undefined> {
  const last = listed.at(-1);
  if (last === undefined) return undefined;
  const behind = { segment: last.number + 1, offset: 0 };
  if (last.compressed) return behind;
  let handle: FileHandle;
  try {
    handle = await open(segmentFile(dir, last));
  } catch (error) {
    // Closed and compressed since.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return behind;
    throw error;
  }
  try {
    const { size } = await handle.stat();
    return { segment: last.number, offset: await lastLineEnd(handle, size) };
  } finally {
    await handle.close();
  }
}
