import { deepEqual, equal, match } from 'node:assert/strict';
import { test } from 'node:test';
import { text } from '../../../check/craft.ts';
import { NO_CLICKHOUSE } from '../../../support/clickhouse/clickhouse.ts';
import { startStore } from '../../../support/clickhouse/stored.ts';
import { Folder, vcml } from '../../../support/forensics.ts';
import type { JournalName } from '../mutations/kinds.ts';
import { recordsOf, type Step, stepsOf } from '../mutations/sound.ts';

const options = { skip: NO_CLICKHOUSE };
const NODE = ['--node', 'node', '--since', '1970-01-02'];
/** This many execs are unread when an agent ends, and the next one writes them. */
const UNREAD = 3;

for (const name of ['runs', 'pods', 'middle'] as const)
  test(`a sound journal (${name}) is sound in a store, too`, options, async (t) => {
    const store = await startStore(t);
    const lines = linesOf(name, unread(stepsOf(name)));
    await store.insert(lines.toReversed());
    await store.insert(lines);
    for (const merge of [() => {}, store.merge]) {
      await merge();
      const found = await vcml('audit', ...NODE, store.address);
      equal(found.stdout.replace(/ 1 files; .*\n/, ''), `sound: ${lines.length} lines in`);
      equal(found.code, 0, found.stderr);
    }
  });

test('what is wrong with a journal is wrong in a store, too', options, async (t) => {
  const store = await startStore(t);
  const folder = new Folder();
  t.after(() => folder.close());
  const lines = linesOf('runs', unread(stepsOf('runs')));
  const without = (dropped: readonly number[]) => lines.filter((_, at) => !dropped.includes(at));
  const execs = [...lines.keys()].filter((at) => lines[at]?.includes('"action":"exec"'));
  const starts = [...lines.keys()].filter((at) => lines[at]?.includes('"journal.start"'));
  for (const changed of [
    without(execs.slice(20, 22)),
    without(starts.slice(1, 2)),
    lines.map((line, at) => (at === execs[30] ? line.replace(/"pid":\d+/, '"pid":7') : line)),
  ]) {
    await store.clear();
    await store.insert(changed);
    const found = await vcml('audit', '--output', 'jsonl', ...NODE, store.address);
    const expected = await vcml('audit', '--output', 'jsonl', folder.journal('1.jsonl', changed));
    deepEqual([found.code, expected.code], [1, 1], found.stderr);
    deepEqual(codesIn(found.stdout), codesIn(expected.stdout));
  }
});

test('an audit of a store names a node and a time', options, async (t) => {
  const store = await startStore(t);
  await store.insert(linesOf('pods', stepsOf('pods')));
  for (const [args, code, message] of [
    [['--node', 'node', store.address], 64, /needs --node and --since/],
    [['--since', '1h', '/tmp'], 64, /--since and --node of audit are for a store/],
    [['--node', 'nobody', '--since', '1h', store.address], 1, /no record of the node nobody/],
  ] as const) {
    const found = await vcml('audit', ...args);
    equal(found.code, code);
    match(found.stderr, message);
  }
});

/** Makes each agent that follows another one write some execs from before its start. */
function unread(steps: readonly Step[]): Step[] {
  return steps.map((step, place) => {
    const last = steps[place + UNREAD];
    const isResumed = step.action === 'start' && step.state === 'resumed' && place > 0;
    return isResumed && last?.action === 'exec' ? { ...step, at: last.at + 1 } : step;
  });
}

function linesOf(name: JournalName, steps: readonly Step[]): string[] {
  return recordsOf(name, steps).map(text);
}

/** The code and the id of each finding. */
function codesIn(stdout: string): string[] {
  const found = stdout.trimEnd().split('\n');
  return found.map((line) => {
    const { code, id } = JSON.parse(line);
    return `${code} ${id}`;
  });
}
