import { deepEqual, equal, rejects } from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Search } from '../../../agent/enrich/cgroups/search.ts';

test('a search that fails has found nothing, and others begin later', async () => {
  let [now, walks, fails] = [0, 0, true];
  const search = new Search(
    function* () {
      walks += 1;
      now += 10;
      if (fails) throw new Error('too many open files');
      yield;
    },
    () => now,
  );
  equal(search.request(['0:1']), false);
  await turn();
  now += 900;
  deepEqual([walks, search.isIdle, search.isAllowed], [1, true, false]);
  now += 2000;
  fails = false;
  search.request(['0:1']);
  await turn();
  deepEqual([walks, search.isIdle], [2, true]);
  fails = true;
  await rejects(search.run(), /too many open files/);
});
