import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  type Draft,
  exec,
  execId,
  HOOK,
  lines,
  loss,
  start,
  stop,
  time,
} from '../../check/craft.ts';
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

/** A stop that detached the hook. */
function detached(at: number): Draft {
  const record = stop(at, 1, 2, 2, 0);
  record.attributes['vcml.hook.state'] = 'detached';
  return record;
}

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

test('what an agent had when it started is missing if it is not there', async () => {
  const at = 4 * APART;
  const journal = journalOf(4, [1, 2], start([10], 'resumed', at + 9 * SECOND));
  assert.equal(
    await lastLine('query', one, journal),
    'vcml: complete: 1 of 2 nodes; 1 with holes that nothing explains: node-4 (7 records)',
  );
});

test('nobody knows what was executed while no hook was there', async () => {
  const at = 5 * APART;
  const journal = journalOf(
    5,
    [1, 2],
    detached(at + 100 * SECOND),
    start([1], 'attached', at + 200 * SECOND),
    exec(at + 201 * SECOND, 7, 0, 3),
  );
  const asked = (from: number, to: number) => {
    const [since, until] = [from, to].map((seconds) => time(HOOK + BigInt(at + seconds * SECOND)));
    return lastLine('query', '--since', since ?? '', '--until', until ?? '', journal, one);
  };
  assert.match(await asked(120, 180), /1 without a hook for a time: node-5 \(since [^)]+\)/);
  assert.match(await asked(120, 300), /1 without a hook for a time: node-5 \(since [^)]+\)/);
  assert.doesNotMatch(await asked(1, 50), /without/);
  const ended = journalOf(5, [1, 2], detached(at + 100 * SECOND));
  assert.equal(await lastLine('query', ended), 'vcml: complete: 1 of 1 node');
});

test('a chain, a tree and a report say it of the node of their record', async () => {
  const id = execId(3 * APART + 4 * SECOND, 3004);
  const ofNode =
    'vcml: complete: 0 of 1 node; 1 with holes that nothing explains: node-3 (2 records)';
  assert.equal(await lastLine('chain', id, one, two, three), ofNode);
  assert.equal(await lastLine('chain', '--output', 'jsonl', id, one, two, three), ofNode);
  assert.equal(await lastLine('tree', id, one, two, three), ofNode);
  const page = join(folder.path, 'report.md');
  const report = ['report', '--markdown', '-o', page];
  assert.equal(await lastLine(...report, id, one, two, three), ofNode);
  assert.match(readFileSync(page, 'utf8'), /complete: 0 of 1 node; 1 with holes/);
  assert.equal(await lastLine(...report, '--exe', '*', one, two, three), ALL);
});

test('where no record is found, the line about all nodes is before the error', async () => {
  for (const command of [
    ['chain', '00000000-0000-5000-8000-000000000000'],
    ['tree', '--exe', '/nowhere'],
  ]) {
    const { code, stderr } = await vcml(...command, one, two, three);
    assert.equal(code, 1);
    assert.equal(stderr.trimEnd().split('\n').at(-2), ALL);
  }
});

test('an answer from one journal judges it only where everything is read', async () => {
  const losses = 'vcml: complete: 0 of 1 node; 1 with losses: node-2 (2 records)';
  for (const command of ['query --exe /nowhere', 'gaps', 'stats'])
    assert.equal(await lastLine(...command.split(' '), two), losses, command);
  const id = execId(2 * APART + 5 * SECOND, 2005);
  for (const command of [
    ['chain', id],
    ['tree', id],
    ['query', '--since', '2001-01-01'],
    ['query', '--node', 'node-2'],
    ['query', '--sql', 'SELECT 1'],
  ])
    assert.equal(
      await lastLine(...command, two),
      'vcml: complete: not judged, because that takes reading the whole journal; `vcml gaps` does',
      command.join(' '),
    );
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

test('a time in the future makes no node complete until then, and no other one silent', async () => {
  const FUTURE = 4_102_444_800_000_000_000n;
  const late = exec(6 * APART + 3 * SECOND, 6003, 0, 3);
  late.timestamp = FUTURE;
  const six = journalOf(6, [1, 2], late);
  const clocks = 'times later than the clock of this machine: node-6 (2100-01-01T00:00:00Z)';
  assert.equal(await lastLine('query', one, six), `vcml: complete: 2 of 2 nodes; ${clocks}`);
  assert.equal(await lastLine('gaps', six), `vcml: complete: 1 of 1 node; ${clocks}`);
  const until = time(HOOK + BigInt(3 * 3600 * SECOND));
  assert.match(
    await lastLine('query', '--until', until, one, six),
    /complete: 0 of 2 nodes; 2 silent: node-1 \(since 2025-[^)]*\), node-6 \(since 2025-[^)]*\); times later than/,
  );
  const all = lines([start([1], 'attached', 7 * APART), exec(7 * APART + SECOND, 7001, 0, 1)]);
  const seven = folder.journal(
    `node-7/${segment(1)}`,
    all.map((line) => line.replace(/"timestamp":\d+/, `"timestamp":${FUTURE}`)),
  );
  assert.equal(
    await lastLine('gaps', seven),
    'vcml: complete: 0 of 1 node; 1 not judged: node (all of its times are later than the clock of ' +
      'this machine); times later than the clock of this machine: node (2100-01-01T00:00:00Z)',
  );
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
