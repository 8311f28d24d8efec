import { deepEqual, equal } from 'node:assert/strict';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { JournalExport } from '../../agent/export/journal-export.ts';
import { createLagReader } from '../../agent/run/export-lag.ts';
import type { Session } from '../../agent/run/session/session.ts';
import { segmentName } from '../support/journal/segment-name.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';

const LINE = '{"id":"a","timestamp":1795403355000000000,"actor":{}}\n';

/** A journal of so many lines of an earlier run, nothing of them exported, and what reads the lag. */
function backlogOf(t: TestContext, lines: number) {
  const root = temporaryFolder(t);
  const [dir, moved] = [join(root, 'journal'), join(root, 'moved')];
  mkdirSync(dir);
  writeFileSync(join(dir, segmentName(1)), LINE.repeat(lines));
  const position = { segment: 1, offset: lines * LINE.length };
  const session = { journal: { position }, lineage: { counts: { records: 2, losses: 0 } } };
  const journalExport = {
    position: { segment: 1, offset: 0 },
    lagSeconds: 0,
    keptBack: new Map(),
    statistics: { exported: 0, rejected: 0, deadLetters: 0, lastRecordTime: 1 },
  };
  const readLag = createLagReader(
    dir,
    session as unknown as Session,
    journalExport as unknown as JournalExport,
  );
  return {
    readLag,
    session,
    moveAway: () => renameSync(dir, moved),
    moveBack: () => renameSync(moved, dir),
  };
}

test('what waited before this run is counted again when the folder could not be listed', async (t) => {
  const { readLag, moveAway, moveBack } = backlogOf(t, 7);
  moveAway();
  for (let n = 0; n < 3; n++) {
    deepEqual(await readLag(), { seconds: 0, records: undefined });
    await new Promise(setImmediate);
  }
  moveBack();
  const records = await until('the count', async () => (await readLag()).records);
  equal(records, 7 + 1 + 2);
});

test('where nothing waited before this run, the lag is known once the folder can be listed', async (t) => {
  const { readLag, session, moveAway, moveBack } = backlogOf(t, 0);
  session.journal.position = { segment: 1, offset: 100 };
  moveAway();
  equal((await readLag()).records, undefined);
  moveBack();
  equal((await readLag()).records, 1 + 2);
});
