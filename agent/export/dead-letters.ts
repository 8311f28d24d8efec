import { open, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** In the journal's folder: records that no collector takes, and why. */
export const DEAD_LETTER_FILE = 'dead-letters.jsonl';
/** At this size the file becomes dead-letters.1.jsonl, and the one before it goes. */
const MAX_BYTES = 64 << 20;

/** Why a record was not taken. */
export interface Refusal {
  /** a gRPC code's name, or UNREADABLE */
  readonly code: string;
  readonly details: string;
}

/**
 * Keeps a line with the reason, on disk when this resolves; rejects where it cannot be written. The
 * line is a string in it, so that it stays what it is byte for byte.
 */
export async function keepDeadLetter(dir: string, line: string, refusal: Refusal): Promise<void> {
  const file = join(dir, DEAD_LETTER_FILE);
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  if (size >= MAX_BYTES) await rename(file, join(dir, 'dead-letters.1.jsonl'));
  const handle = await open(file, 'a', 0o600);
  try {
    const letter = { refusedAt: new Date().toISOString(), ...refusal, line };
    await handle.appendFile(`${JSON.stringify(letter)}\n`);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}
