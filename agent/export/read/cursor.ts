import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { readPlainFile, replaceFile } from '../../files.ts';
import type { ExportedJournal, Position } from './position.ts';

/** The file in the journal's folder that says how far the journal has been exported. */
export const CURSOR_FILE = 'export-cursor.json';
/** A cursor that is behind costs duplicates after a crash, and nothing else. */
const SAVE_EVERY_MS = 500;

/** Reads the saved cursor; undefined if there is none, or if it is not valid. */
export function readCursor(dir: string): Position | undefined {
  try {
    const { segment, offset } = JSON.parse(readPlainFile(join(dir, CURSOR_FILE)));
    const isPosition = isCount(segment) && isCount(offset);
    return isPosition ? { segment, offset } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Returns where to continue: at the saved cursor, or at the oldest line if the lines after the
 * cursor were deleted. A cursor beyond the end of the journal belongs to another journal, or a
 * crash has shortened this one; then the segment is sent again. Such a cursor is deleted, because
 * it would look valid once the journal has grown past it.
 */
export function resume(
  { dir, oldest, end }: Pick<ExportedJournal, 'dir' | 'oldest' | 'end'>,
  onSkipped: (from: Position, to: Position) => void,
): Position {
  const cursor = readCursor(dir);
  const first = oldest ?? end;
  if (cursor === undefined) return first;
  const isInEnd = cursor.segment === end.segment;
  if (cursor.segment > end.segment || (isInEnd && cursor.offset > end.offset)) {
    rmSync(join(dir, CURSOR_FILE), { force: true });
    return isInEnd ? { segment: end.segment, offset: 0 } : first;
  }
  if (cursor.segment >= first.segment) return cursor;
  onSkipped(cursor, first);
  return first;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/**
 * Saves the cursor durably: as a whole, synced, at most every SAVE_EVERY_MS, and the last one in
 * close().
 */
export class Cursor {
  readonly #dir: string;
  readonly #onProblem: (error: Error) => void;
  #position: Position | undefined;
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();
  #savedAt = Number.NEGATIVE_INFINITY;

  /** `onProblem` is called for each failure; a later save may succeed. */
  constructor(dir: string, onProblem: (error: Error) => void) {
    this.#dir = dir;
    this.#onProblem = onProblem;
  }

  /** Moves the cursor: all lines before this position are acknowledged. */
  move(position: Position): void {
    this.#position = position;
    const waitMs = Math.max(0, this.#savedAt + SAVE_EVERY_MS - performance.now());
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#saveNow();
    }, waitMs);
  }

  /** Saves the position as it is now. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#saveNow();
    await this.#saving;
  }

  #saveNow(): void {
    this.#saving = this.#saving.then(async () => {
      const position = this.#position;
      if (position === undefined) return;
      this.#position = undefined;
      this.#savedAt = performance.now();
      try {
        const text = `${JSON.stringify(position)}\n`;
        await replaceFile(join(this.#dir, CURSOR_FILE), text, { durable: true });
      } catch (error) {
        this.#position ??= position;
        this.#onProblem(error as Error);
      }
    });
  }
}
