import { deepEqual, rejects } from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { connected } from '../../../forensics/serve/memory/connection.ts';
import { Folder, opened } from '../../support/forensics.ts';
import { execLines } from '../../support/journal/lines.ts';

const ENDLESS =
  'SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range > b.range';

test('a question that nobody waits for is interrupted, and others are not', async (t) => {
  const folder = new Folder();
  t.after(() => folder.close());
  await opened([folder.journal('one.jsonl', execLines(0, 3))], async (journals) => {
    const gone = new AbortController();
    const endless = connected(journals, gone.signal, ({ rows }) => rows(ENDLESS));
    const refused = rejects(endless, /Interrupted/);
    await pause(50);
    const { signal } = new AbortController();
    const other = connected(journals, signal, ({ integers }) => integers('SELECT 7::INTEGER'));
    deepEqual(await other, [7]);
    gone.abort();
    await refused;
    await rejects(
      connected(journals, gone.signal, ({ rows }) => rows(ENDLESS)),
      { name: 'AbortError' },
    );
  });
});
