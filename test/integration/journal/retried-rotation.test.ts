import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Journal } from '../../../agent/journal/journal.ts';
import { LineNotes } from '../../../record/index/line-notes.ts';
import { decodeIndex } from '../../../record/index/segment-index.ts';
import { createBed } from '../../support/journal/bed.ts';
import { execLine, recordToNote } from '../../support/journal/lines.ts';
import { indexName } from '../../support/journal/segment-name.ts';
import { until } from '../../support/until.ts';

/** As many segments as the agent keeps notes of. */
const NOTED_MAX = 4;
const NOTED = '{"host.name":"noted"}';

/** Appends a line whose notes name another resource, so that an index shows from what it is made. */
async function append(journal: Journal, n: number): Promise<void> {
  const bytes = Buffer.from(`${execLine(n)}\n`);
  const notes = new LineNotes();
  notes.add(recordToNote(execLine(n)), NOTED, bytes, 0, bytes.length);
  await journal.append(bytes, bytes.length, notes);
}

test('a segment that cannot be closed for a while costs no other one what was noted of it', async (t) => {
  const bed = createBed(t);
  bed.mount('4m,nr_inodes=64');
  let time = 0;
  const journal = await bed.open({ segmentMaxAgeMs: 1000, now: () => time });
  await append(journal, 0);
  let fillers = 0;
  const filler = () => join(bed.dir, `filler-${fillers}`);
  const fill = () => {
    for (; ; fillers++)
      try {
        writeFileSync(filler(), '');
      } catch {
        return;
      }
  };
  const makeRoom = () => {
    fillers -= 1;
    rmSync(filler());
  };
  await until('the reserve', () => existsSync(join(bed.dir, 'deletions.json.reserve')));
  fill();
  // There is room for a segment, and none for a compressed one. Each turn tries all closed segments, and
  // must have ended before the room for the next one is there.
  let attempts = 0;
  for (let n = 1; n < NOTED_MAX; n++) {
    makeRoom();
    time += 2000;
    await append(journal, n);
    attempts += n;
    await until('all attempts', () => bed.problems.length >= attempts);
  }
  time += 2000;
  for (let retries = 0; retries < 3; retries++)
    await assert.rejects(append(journal, NOTED_MAX), { code: 'JOURNAL_FULL' });
  while (fillers > 0) makeRoom();
  await append(journal, NOTED_MAX);
  const index = (n: number) => join(bed.dir, indexName(n));
  await until('the indexes', () => existsSync(index(NOTED_MAX)));
  for (let n = 1; n <= NOTED_MAX; n++)
    assert.deepEqual(decodeIndex(readFileSync(index(n))).resources, [NOTED], `segment ${n}`);
  await journal.close();
});
