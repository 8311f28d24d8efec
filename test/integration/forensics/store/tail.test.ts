import { deepEqual, equal } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { NO_CLICKHOUSE } from '../../../support/clickhouse/clickhouse.ts';
import { startStore } from '../../../support/clickhouse/stored.ts';
import { execLine } from '../../../support/journal/lines.ts';
import { VCML_BIN } from '../../../support/paths.ts';

const options = { skip: NO_CLICKHOUSE };
const PARTS = 8;
const PER_PART = 25;

test('tail prints each record that is inserted into a store once', options, async (t) => {
  const store = await startStore(t);
  const early = lineNow(0);
  await store.insert([early]);
  // It was inserted an hour ago, so that what follows is a replay.
  await store.query(
    `INSERT INTO vcml.records SELECT * REPLACE (version + 3600000000000 AS version) FROM vcml.records
     SETTINGS distributed_foreground_insert = 1`,
  );
  await store.merge();
  const child = spawn(VCML_BIN, ['tail', '--output', 'jsonl', '--node', '/node/', store.address]);
  t.after(() => child.kill('SIGKILL'));
  let printed = '';
  child.stdout.on('data', (data) => {
    printed += data;
  });
  let n = 1;
  // It may begin to follow at any moment.
  for (; printed === ''; n += 1) {
    await store.insert([lineNow(n)]);
    await pause(200);
    equal(child.exitCode, null);
  }
  const first = n;
  const all: string[] = [];
  for (let part = 0; part < PARTS; part += 1) {
    const lines = Array.from({ length: PER_PART }, () => lineNow(n++));
    all.push(...lines);
    await store.insert(lines);
    // A replay is not new.
    await store.insert([early, ...all.slice(-PER_PART - 5)]);
    await pause(100);
  }
  const isLast = (line: string) => line.includes(`"vcml.seq":${n - 1},`);
  while (!printed.split('\n').some(isLast)) await pause(100);
  await pause(2500);
  child.kill('SIGINT');
  const [exitCode] = await once(child, 'exit');
  equal(exitCode, 0);
  const seqs = printed.split('\n').flatMap((line) => /"vcml.seq":(\d+)/.exec(line)?.[1] ?? []);
  equal(seqs.filter((seq) => seq === '0').length, 0);
  const found = seqs.map(Number).filter((seq) => seq >= first);
  deepEqual(
    found.toSorted((a, b) => a - b),
    Array.from({ length: n - first }, (_, index) => first + index),
  );
});

/** An exec of this moment, on one of three nodes. */
function lineNow(n: number): string {
  const nanoseconds = BigInt(Date.now()) * 1_000_000n + BigInt(n);
  return execLine(n, { resource: { 'host.name': `node-${n % 3}` } }).replace(
    /"timestamp":\d+/,
    `"timestamp":${nanoseconds}`,
  );
}
