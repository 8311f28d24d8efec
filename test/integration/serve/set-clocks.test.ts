import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { lines } from '../../check/craft.ts';
import { NO_CLICKHOUSE } from '../../support/clickhouse/clickhouse.ts';
import { startStore } from '../../support/clickhouse/stored.ts';
import { lifeOf } from '../../support/completeness/set-clocks.ts';
import { Folder } from '../../support/forensics.ts';
import { startServer } from '../../support/serve/server.ts';

const HOUR_MS = 3_600_000;
const BEGIN_MS = Date.parse('2025-11-24T11:00:00Z');

test('where clocks were set, a store knows of each hour what files know', {
  skip: NO_CLICKHOUSE,
}, async (t) => {
  const folder = new Folder();
  t.after(() => folder.close());
  const store = await startStore(t);
  const journals = Array.from({ length: 60 }, (_, n) =>
    lines(lifeOf(n, true).records).map((line) =>
      line.replace('"vcml.format.version":"1"', '"vcml.format.version":2'),
    ),
  );
  await store.insert(journals.flat());
  const paths = journals.map((all, n) => folder.journal(`node-${n}.jsonl`, all));
  const files = await startServer(t, ...paths);
  const fleet = await startServer(t, store.address, '--since', '1970-01-02');
  const states = new Set<string>();
  for (const hours of [24, 240]) {
    const path = `/api/unknown?${timesOf(0, hours)}`;
    const expected = await files.json(path);
    deepEqual(await fleet.json(path), expected, path);
    for (const [, state = ''] of JSON.stringify(expected).matchAll(/"state":"(\w+)"/g))
      states.add(state);
  }
  for (const state of ['holes', 'losses', 'withheld', 'complete']) equal(states.has(state), true);
  for (let hour = 0; hour < 20; hour += 1)
    for (const node of ['*', 'node-33']) {
      const path = `/api/completeness?${timesOf(hour, hour + 1 + (hour % 3))}&node=${node}`;
      deepEqual(await fleet.json(path), await files.json(path), path);
    }
});

/** Hours since the first one that any clock may have shown. */
function timesOf(since: number, until: number): string {
  const [from, to] = [since, until].map((hour) =>
    new Date(BEGIN_MS + hour * HOUR_MS).toISOString(),
  );
  return `since=${from}&until=${to}`;
}
