import { notedDeletions } from '../../journal/archive/deletions.ts';
import { orUnusable } from '../../journal/folder.ts';
import { listSegments } from '../../journal/segment.ts';
import type { Report } from '../report.ts';
import { readCheckpoint } from './checkpoint.ts';
import { type Continuity, noteDeleted } from './continuity.ts';
import { readBack } from './read-back.ts';
import type { LiveHook } from './read-hook.ts';

/**
 * Reads what the journal in `dir` says about the hook that wrote it last: from the position of its
 * last checkpoint to the end or, without a checkpoint, as far back as the attached hook needs it. A
 * segment that cannot be read is reported and skipped. Throws an error of the registry if the folder
 * cannot be listed.
 */
export async function readContinuity(
  dir: string,
  live: LiveHook,
  report: Report,
): Promise<Continuity> {
  try {
    return await continuityOf(dir, live, report);
  } catch (error) {
    throw orUnusable(dir, error);
  }
}

async function continuityOf(dir: string, live: LiveHook, report: Report): Promise<Continuity> {
  const checkpoint = await readCheckpoint(dir);
  const segments = (await listSegments(dir)).length;
  if (checkpoint === undefined && segments > 1) report({ event: 'run.state_missing', segments });
  const onUnreadable = (error: Error) => report({ event: 'journal.segment_unreadable', error });
  const known = await readBack(dir, checkpoint, live, onUnreadable);
  noteUnrecorded(known, dir);
  return known;
}

/** Behind the reading: what was deleted meanwhile is among it. */
function noteUnrecorded(known: Continuity, dir: string): void {
  try {
    for (const { ranges, unknownOf } of notedDeletions(dir)) {
      for (const { hookId, cpu, firstSeq, lastSeq } of ranges)
        if (hookId === known.hookId) noteDeleted(known, cpu, [firstSeq, lastSeq]);
      known.isDamaged ||= unknownOf !== undefined && unknownOf === known.hookId;
    }
  } catch {
    known.isDamaged = true; // the journal reports it
  }
}
