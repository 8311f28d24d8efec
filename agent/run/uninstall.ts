import type { Config } from '../config/schema.ts';
import { CURSOR_FILE } from '../export/read/cursor.ts';
import { DEAD_LETTER_FILE, OLDER_DEAD_LETTER_FILE } from '../export/send/dead-letters.ts';
import { asideOf } from '../files.ts';
import { deleteJournal } from '../journal/delete.ts';
import type { Log } from '../telemetry/log.ts';
import { SNAPSHOT_FILE } from './session.ts';

/** What others than the journal itself keep in its folder. */
const OTHERS = [
  CURSOR_FILE,
  asideOf(CURSOR_FILE),
  DEAD_LETTER_FILE,
  OLDER_DEAD_LETTER_FILE,
  SNAPSHOT_FILE,
  asideOf(SNAPSHOT_FILE),
];

/** Deletes the journal of an agent that has ended for good, and says so; a failure ends nothing. */
export function deleteAll({ journalDir }: Config, log: Log): void {
  try {
    const left = deleteJournal(journalDir, OTHERS);
    if (left.length === 0) log.info({ journal: journalDir }, 'the journal is deleted');
    else log.warn({ journal: journalDir, left }, 'the journal is deleted, but for what is not its');
  } catch (error) {
    const { message } = error as Error;
    log.error({ journal: journalDir, error: message }, 'the journal could not be deleted');
  }
}
