import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../../files.ts';
import { openSegment } from '../folder.ts';
import { listSegments, segmentFile } from '../segment.ts';
import { cutTornTail } from '../torn-tail.ts';

const ASIDE = /^\d{20}\.(jsonl\.zst|index)\.tmp$/;
const INDEX = /^(\d{20})\.index$/;

/** Torn lines that a crash had left, and that were cut; the segment is the newest that had one. */
export interface Recovered {
  readonly tornBytes: number;
  readonly segment: number;
}

/** Takes the error of a sync that failed; what follows does not depend on it. */
type OnUnsynced = (error: Error) => void;

/**
 * Tidies what an earlier run left of all segments but the newest: removes incomplete and doubled
 * files, cuts the torn lines of a crash, and syncs what is left. Nothing else may work in the folder
 * at the same time.
 */
export async function tidySegments(dir: string, onUnsynced: OnUnsynced): Promise<Recovered> {
  const names = await readdir(dir);
  for (const name of names) if (ASIDE.test(name) || isAlone(name, names)) await rm(join(dir, name));
  // A plain file is removed only once the name of its compressed form is on disk.
  const areNamesSynced = await isSynced(syncFolder(dir), onUnsynced);
  let torn = { tornBytes: 0, segment: 0 };
  const segments = await listSegments(dir);
  for (const { number, compressed } of segments) {
    const plain = segmentFile(dir, { number, compressed: false });
    if (compressed && areNamesSynced) await rm(plain, { force: true });
    else if (!compressed && number !== segments.at(-1)?.number) {
      const tornBytes = await cutTail(plain, onUnsynced);
      if (tornBytes > 0) torn = { tornBytes: torn.tornBytes + tornBytes, segment: number };
    }
  }
  return torn;
}

/** Whether it is the index of a segment that is not compressed yet. */
function isAlone(name: string, names: readonly string[]): boolean {
  const number = INDEX.exec(name)?.[1];
  return number !== undefined && !names.includes(`${number}.jsonl.zst`);
}

async function cutTail(file: string, onUnsynced: OnUnsynced): Promise<number> {
  const { handle } = await openSegment(file);
  try {
    const tornBytes = await cutTornTail(handle);
    // An agent that was killed in a rotation may have left it without a sync.
    await isSynced(handle.datasync(), onUnsynced);
    return tornBytes;
  } finally {
    await handle.close();
  }
}

async function isSynced(sync: Promise<void>, onUnsynced: OnUnsynced): Promise<boolean> {
  try {
    await sync;
    return true;
  } catch (error) {
    onUnsynced(error as Error);
    return false;
  }
}
