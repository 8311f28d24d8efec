import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../../files.ts';
import { openSegment } from '../folder.ts';
import { listSegments, segmentFile } from '../segment.ts';
import { cutTornTail } from '../torn-tail.ts';

const ASIDE = /^\d{20}\.jsonl\.zst\.tmp$/;

/** Torn lines that a crash had left, and that were cut; the segment is the newest that had one. */
export interface Recovered {
  readonly tornBytes: number;
  readonly segment: number;
}

/**
 * Tidies what an earlier run left of all segments but the newest: removes incomplete and doubled
 * files, cuts the torn lines of a crash, and syncs what is left. Nothing else may work in the folder
 * at the same time.
 */
export async function tidySegments(dir: string): Promise<Recovered> {
  for (const name of await readdir(dir)) if (ASIDE.test(name)) await rm(join(dir, name));
  // A plain file is removed only once the name of its compressed form is on disk.
  await syncFolder(dir);
  let torn = { tornBytes: 0, segment: 0 };
  const segments = listSegments(dir);
  for (const { number, compressed } of segments) {
    const plain = segmentFile(dir, { number, compressed: false });
    if (compressed) await rm(plain, { force: true });
    else if (number !== segments.at(-1)?.number) {
      const tornBytes = await cutTail(plain);
      if (tornBytes > 0) torn = { tornBytes: torn.tornBytes + tornBytes, segment: number };
    }
  }
  return torn;
}

async function cutTail(file: string): Promise<number> {
  const { handle } = await openSegment(file);
  try {
    const tornBytes = await cutTornTail(handle);
    // An agent that was killed in a rotation may have left it without a sync.
    await handle.datasync();
    return tornBytes;
  } finally {
    await handle.close();
  }
}
