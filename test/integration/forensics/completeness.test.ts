import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Draft, exec, HOOK, lines, loss, start, time } from '../../check/craft.ts';
import { logRecord, otlpLine } from '../../forensics/otlp.ts';
import { Folder, segment, vcml } from '../../support/forensics.ts';

const folder = new Folder();
after(() => folder.close());

/** Nanoseconds from one node to the next, so that no two have the same id. */
const APART = 1_000_000;
const SECOND = 1_000_000_000;

/** Writes the journal of a node with these numbers of CPU 0, a second apart. */
function journalOf(n: number, seqs: readonly number[], ...more: readonly Draft[]): string {
  const records = [
    start([1], 'attached', n * APART),
    ...seqs.map((seq) => exec(n * APART + seq * SECOND, n * 1000 + seq, 0, seq)),
    ...more,
  ];
  for (const record of records) record.resource['host.name'] = `node-${n}`;
  return folder.journal(`node-${n}/${segment(1)}`, lines(records));
}

const one = journalOf(1, [1, 2, 3, 4]);
const two = journalOf(2, [1, 2, 5], loss(2 * APART + 5 * SECOND - 1, 1, 0, 3, 4));
const three = journalOf(3, [1, 4, 5]);

/** Returns the last line that a command writes to stderr. */
async function lastLine(...args: readonly string[]): Promise<string> {
  const { stderr } = await vcml(...args);
  return stderr.trimEnd().split('\n').at(-1) ?? '';
}

const ALL =
  'vcml: complete: 1 of 3 nodes; 1 with holes that nothing explains: node-3 (2 records); ' +
  '1 with losses: node-2 (2 records)';

test('answers from the journals of several nodes end with how complete these are', async () => {
  for (const command of ['query', 'stats', 'gaps', 'tree'])
    assert.equal(await lastLine(command, one, two, three), ALL, command);
  assert.equal(await lastLine('query', '--exe', '/nowhere', one, two, three), ALL);
});

test('an answer from the journal of one node does not have that line', async () => {
  assert.doesNotMatch(await lastLine('query', two), /complete/);
});

test('only the nodes and the time that were asked for count', async () => {
  const nodes = await lastLine('query', '--node', 'node-[12]', one, two, three);
  assert.doesNotMatch(nodes, /node-3/);
  const near = await lastLine('query', '--node', 'node-*', one, two, three);
  assert.equal(near, ALL);
  // Behind the hole of node-3, and between the last two records of node-2.
  const since = time(HOOK + BigInt(4.5 * SECOND));
  assert.equal(
    await lastLine('query', '--since', since, one, two, three),
    'vcml: complete: 2 of 3 nodes; 1 with losses: node-2 (2 records)',
  );
  const earlier = time(HOOK + BigInt(3.5 * SECOND));
  assert.equal(await lastLine('query', '--since', earlier, one, two, three), ALL);
});

test('a collector’s file with the records of several nodes has the line, too', async () => {
  const of = (n: number, seqs: readonly number[]) =>
    seqs.map((seq) => exec(n * APART + seq * SECOND, n * 1000 + seq, 0, seq));
  const line = (n: number, seqs: readonly number[]) =>
    otlpLine([start([1], 'attached', n * APART), ...of(n, seqs)].map(logRecord)).replace(
      '"stringValue":"node"',
      `"stringValue":"node-${n}"`,
    );
  const path = folder.write('collected.json', `${line(4, [1, 2])}\n${line(5, [1, 3])}\n`);
  assert.match(
    await lastLine('query', path),
    /complete: 1 of 2 nodes; 1 with holes that may be losses or the work of export rules, .*node-5 \(1 record\)$/,
  );
});
