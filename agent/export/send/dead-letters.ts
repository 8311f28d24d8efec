import { type FileHandle, open, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EXIT, exitCodeOf } from '../../errors.ts';
import { lastLineEnd, syncFolder } from '../../files.ts';
import type { Log } from '../../log-events.ts';
import type { ExportedJournal, JournalLine, Position } from '../read/position.ts';

/** The file in the journal's folder with the records that the collector refused, and why. */
export const DEAD_LETTER_FILE = 'dead-letters.jsonl';
/** The previous file of dead letters; the one before it is deleted. */
export const OLDER_DEAD_LETTER_FILE = 'dead-letters.1.jsonl';
/** The size at which a file is full. */
const MAX_BYTES = 64 << 20;

/** Why a record was refused. */
export interface Refusal {
  /** a gRPC code's name, or UNREADABLE */
  readonly code: string;
  readonly details: string;
}

/** A record that was refused. */
export interface DeadLetter {
  /** where its line begins, or the first line of those that it is about */
  readonly start: Position;
  readonly refusal: Refusal;
  /** Its line, unless it must be read from the journal. */
  readonly line?: string | undefined;
}

/** With `mayBeUnsynced`, a disk that cannot sync does not hold up dead letters. */
export interface DeadLetterOptions {
  readonly log: Log;
  readonly mayBeUnsynced: boolean;
}

/**
 * Keeps a record, with the reason; it is on disk when this resolves. Rejects if it cannot be
 * written. The line is a string, so that it stays the same byte for byte, and null if the journal
 * does not have it any more.
 */
export async function keepDeadLetter(
  { dir, readLines }: Pick<ExportedJournal, 'dir' | 'readLines'>,
  { start, refusal, line: known }: DeadLetter,
  { log, mayBeUnsynced }: DeadLetterOptions,
): Promise<void> {
  const line = known ?? (await lineAt(readLines(start), start));
  const file = join(dir, DEAD_LETTER_FILE);
  if ((await sizeOf(file)) >= MAX_BYTES) {
    const older = join(dir, OLDER_DEAD_LETTER_FILE);
    const bytes = await sizeOf(older);
    await rename(file, older);
    if (bytes > 0) log('export.dead_letters_deleted', { bytes });
  }
  const handle = await open(file, 'a+', 0o600);
  try {
    const size = await cutUnfinished(handle);
    const letter = { refusedAt: new Date().toISOString(), ...refusal, ...start, line };
    try {
      await handle.appendFile(`${JSON.stringify(letter)}\n`);
      await synced(handle.datasync(), mayBeUnsynced);
      if (size === 0) await synced(syncFolder(dir), mayBeUnsynced);
    } catch (error) {
      // The next attempt writes it again.
      await handle.truncate(size);
      throw error;
    }
  } finally {
    await handle.close();
  }
}

async function synced(sync: Promise<void>, mayFail: boolean): Promise<void> {
  await sync.catch((error) => {
    if (!mayFail) throw error;
  });
}

/**
 * Cuts a last letter without a line feed, which a full disk or a power cut left: it would take the
 * next one with it. Returns the size that remains.
 */
async function cutUnfinished(handle: FileHandle): Promise<number> {
  const { size } = await handle.stat();
  const end = await lastLineEnd(handle, size);
  if (end < size) await handle.truncate(end);
  return end;
}

function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

async function lineAt(lines: AsyncIterator<JournalLine>, start: Position): Promise<string | null> {
  try {
    const { value, done } = await lines.next();
    await lines.return?.();
    if (done === true) return null;
    // The line after a deleted segment begins at another position.
    return value.segment === start.segment ? value.line : null;
  } catch (error) {
    // No other attempt reads it from a damaged segment.
    if (exitCodeOf(error) === EXIT.journal) return null;
    throw error;
  }
}
