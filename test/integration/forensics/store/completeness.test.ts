import { equal, match } from 'node:assert/strict';
import { test } from 'node:test';
import { NO_CLICKHOUSE } from '../../../support/clickhouse/clickhouse.ts';
import { type Stored, startStore } from '../../../support/clickhouse/stored.ts';
import { vcml } from '../../../support/forensics.ts';
import { execLine, journalLine } from '../../../support/journal/lines.ts';

const options = { skip: NO_CLICKHOUSE };
const LOST =
  ',"vcml.loss.stage":"ring_buffer","vcml.loss.hook_id":"1","vcml.loss.cpu":0,"vcml.loss.first_seq":3,"vcml.loss.last_seq":4,"vcml.loss.count":2';

const withheld = (ranges: string) =>
  `,"vcml.withheld.hook_id":"1","vcml.withheld.cpu":0,"vcml.withheld.ranges":[${ranges}]`;

test('an answer says on which nodes every record has arrived', options, async (t) => {
  const store = await startStore(t);
  await store.insert([
    ...onNode('node-1', [1, 2, 5, 9]),
    // Rules of the export held the others back, which a replay has cut differently.
    journalLine('journal.withheld', 900_001, withheld('"3-4","6-7"')),
    journalLine('journal.withheld', 900_002, withheld('"3-3","4-4","7-8"')),
    ...onNode('node-2', [1, 2, 5, 6, 7, 10]),
    journalLine('journal.loss', 900_000, LOST).replace('"node-1"', '"node-2"'),
    // A replay of a loss counts once.
    journalLine('journal.loss', 900_000, LOST).replace('"node-1"', '"node-2"'),
  ]);
  for (const merge of [() => {}, store.merge]) {
    await merge();
    equal(
      await completeness(store, '--since', '2001-01-01'),
      'vcml: 1 of 2 nodes complete; node-2: 4 records missing, 2 recorded as lost',
    );
  }
  equal(
    await completeness(store, '--since', '2001-01-01', '--node', 'node-1', '--exe', '/nowhere'),
    'vcml: 1 of 1 node complete',
  );
  match(
    await completeness(store, '--since', '2027-01-01', '--node', 'node-1'),
    /^vcml: 0 of 1 node complete; node-1: silent since 2026-11-23T03:09:15\.\d{9}Z$/,
  );
});

/** Execs of one CPU with these numbers. */
function onNode(node: string, seqs: readonly number[]): string[] {
  return seqs.map((seq) =>
    execLine(2 * seq, { resource: { 'host.name': node } })
      .replace(`"vcml.seq":${2 * seq}`, `"vcml.seq":${seq}`)
      .replaceAll('"00000000-', node === 'node-1' ? '"00000000-' : '"00000002-'),
  );
}

/** Returns the last line that a query prints on stderr. */
async function completeness({ address }: Stored, ...selection: readonly string[]) {
  const { stderr } = await vcml('query', ...selection, address);
  return stderr.trimEnd().split('\n').at(-1) ?? '';
}
