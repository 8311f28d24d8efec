import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { auditFleet } from '../../../../forensics/store/audit/fleet.ts';
import { connect } from '../../../../forensics/store/connect.ts';
import { rfc3339Of } from '../../../../record/time.ts';
import { exec, HOOK, lines, start, text, time } from '../../../check/craft.ts';
import { withheld } from '../../../forensics/craft.ts';
import { NO_CLICKHOUSE } from '../../../support/clickhouse/clickhouse.ts';
import { sharedStore } from '../../../support/clickhouse/stored.ts';
import { Folder, vcml } from '../../../support/forensics.ts';
import { idIn } from '../../../support/journal/lines.ts';
import type { JournalName } from '../mutations/kinds.ts';
import { recordsOf, type Step, stepsOf } from '../mutations/sound.ts';

const options = { skip: NO_CLICKHOUSE };
const emptyStore = sharedStore();
const ALL = ['--since', '1970-01-02'];
const NODE = ['--node', 'node', ...ALL];
const R1 = 'CML-AUDIT-R1-MISSING_PARENT';
/** This many execs are unread when an agent ends, and the next one writes them. */
const UNREAD = 3;

for (const name of ['runs', 'pods', 'middle'] as const)
  test(`a sound journal (${name}) is sound in a store, too`, options, async () => {
    const store = emptyStore();
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

test(
  'an audit is sound from any time on, also between what a start found and the start',
  options,
  async () => {
    const store = emptyStore();
    const lines = linesOf('runs', unread(stepsOf('runs')));
    await store.insert(lines);
    // A start, and the execs that it found, which are earlier.
    const times = lines.map(timeIn);
    const found = times.findIndex((time, at) => time < (times[at - 1] ?? 0n));
    ok(lines[found - 1]?.includes('"journal.start"'));
    for (const time of times.slice(found - 1, found + UNREAD)) {
      const since = rfc3339Of(time) ?? '';
      for (const nodes of [['--node', 'node'], []]) {
        const one = await vcml('audit', ...nodes, '--since', since, store.address);
        equal(one.code, 0, `${since}: ${one.stdout}${one.stderr}`);
      }
    }
  },
);

test(
  'execs that a start found unread, and that rules withheld, are not missing',
  options,
  async () => {
    const store = emptyStore();
    const journal = [
      start([1]),
      exec(10, 101, 0, 1),
      exec(20, 102, 0, 2),
      withheld(0, ['3-3']),
      start([3], 'resumed', 100),
      exec(70, 104, 0, 4),
      exec(200, 105, 0, 5),
    ];
    await store.insert(
      lines(journal).map((line) =>
        line.replace('"vcml.format.version":"1"', '"vcml.format.version":"2"'),
      ),
    );
    for (const since of [0, 30, 68, 80]) {
      const from = time(HOOK + BigInt(since));
      const { code, stdout, stderr } = await vcml(
        'audit',
        '--node',
        'node',
        '--since',
        from,
        store.address,
      );
      equal(code, 0, `${since}: ${stdout}${stderr}`);
    }
  },
);

test('a start without a boot is audited as over files', options, async (t) => {
  const store = emptyStore();
  const folder = new Folder();
  t.after(() => folder.close());
  const journal = lines([start([1]), exec(10, 101, 0, 1), start([2], 'resumed', 100)]);
  const without = journal.map((line, at) =>
    at === 2 ? line.replace(/"vcml.boot.id":"[^"]+",/, '') : line,
  );
  await store.insert(without);
  const found = await vcml('audit', '--output', 'jsonl', ...NODE, store.address);
  const file = folder.journal('1.jsonl', without);
  const expected = await vcml('audit', '--output', 'jsonl', file);
  deepEqual([found.code, found.stdout], [expected.code, expected.stdout], found.stderr);
});

test('what is wrong with a journal is wrong in a store, too', options, async (t) => {
  const store = emptyStore();
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

for (const merged of [false, true])
  test(
    `an audit of all nodes${merged ? ', after merges,' : ''} finds what is wrong`,
    options,
    async () => {
      const store = emptyStore();
      const found = async () => {
        if (merged) await store.merge();
        const { stdout, stderr } = await vcml('audit', '--output', 'jsonl', ...ALL, store.address);
        equal(stderr.includes('answers:'), false, stderr);
        return stdout
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line));
      };
      const lines = linesOf('runs', stepsOf('runs'));
      const execs = lines.filter((line) => line.includes('"action":"exec"'));
      await store.insert(lines);
      await store.insert(lines.slice(5));
      deepEqual(await found(), []);

      const parent =
        execs.find((line) => lines.some((one) => one.includes(`"parent_cause":"${idIn(line)}"`))) ??
        '';
      const child = lines.find((line) => line.includes(`"parent_cause":"${idIn(parent)}"`)) ?? '';
      await store.clear();
      await store.insert(lines.filter((line) => line !== parent));
      const [missing, hole, ...none] = (await found()).toSorted((a, b) =>
        a.code < b.code ? -1 : 1,
      );
      deepEqual([missing.code, missing.severity, missing.id], [R1, 'FAIL', idIn(child)]);
      match(missing.message, new RegExp(`its cause is ${idIn(parent)}$`));
      deepEqual([hole.code, hole.severity, none], ['SEQ_MISSING', 'FAIL', []]);
      match(hole.message, /cpu \d of the hook \d+: 1 number$/);

      await store.clear();
      await store.insert(linesOf('runs', stepsOf('runs'), 1).filter((line) => line !== parent));
      deepEqual(
        (await found()).map(({ severity }) => severity),
        ['WARN', 'WARN'],
      );

      const [first = ''] = execs;
      await store.clear();
      await store.insert([...lines, first.replace(/"timestamp":(\d+)\d{3}/, '"timestamp":$1007')]);
      deepEqual(codes(await found()), [`ID_DUPLICATE ${idIn(first)}`]);

      await store.clear();
      await store.insert([
        ...lines,
        ...lines.map((line) => line.replace('"host.name":"node"', '"host.name":"twin"')),
      ]);
      const [twin, ...more] = await found();
      deepEqual([twin.code, more.map(({ code }) => code)], ['ID_DUPLICATE', ['ID_DUPLICATE']]);
      match(twin.message, /twin has the same boot/);

      await store.clear();
      await store.insert(
        lines.map((line) => (line === child ? line.replace(/"pid":\d+/, '"pid":7') : line)),
      );
      deepEqual(codes(await found()), [`ID_WRONG ${idIn(child)}`]);

      // Anybody may send a log record under the name of a node.
      await store.clear();
      await store.insert([...lines, first.replace(/"vcml\.boot\.id":"[^"]*",/, '')]);
      deepEqual((await found()).length > 0, true);

      const start = lines.find((line) => line.includes('"journal.start"')) ?? '';
      await store.clear();
      await store.insert([...lines, start.replace('"attached"', '"resumed"')]);
      deepEqual(codes(await found()), [`ID_DUPLICATE ${idIn(start)}`]);
    },
  );

test(
  'findings beyond those that are named are counted, and none is forgotten',
  options,
  async () => {
    const stored = emptyStore();
    const lines = linesOf('runs', stepsOf('runs'));
    const isParent = (line: string) =>
      lines.some((one) => one.includes(`"parent_cause":"${idIn(line)}"`));
    const parents = lines
      .filter((line) => line.includes('"action":"exec"') && isParent(line))
      .slice(3, 8);
    await stored.insert(lines.filter((line) => !parents.includes(line)));
    await using store = connect(stored.address, {});
    const times = { since: undefined, until: undefined };
    const all = (await auditFleet(store, times)).findings.filter(({ code }) => code === R1);
    const some = (await auditFleet(store, times, 1)).findings.filter(({ code }) => code === R1);
    equal(all.length > 2, true);
    equal(some.length, 2);
    equal(some.at(-1)?.more, `and ${all.length - 1} more such records`);
  },
);

test('records that the store no longer has explain as many missing causes', options, async () => {
  const store = emptyStore();
  const lines = linesOf('runs', stepsOf('runs'));
  await store.insert(lines);
  for (const server of store.servers)
    await server.query(
      `ALTER TABLE vcml.records_local DELETE WHERE action = 'exec' AND toInt64(seq) < 5 SETTINGS mutations_sync = 2`,
    );
  const { code, stdout, stderr } = await vcml('audit', ...ALL, store.address);
  equal(code, 0, stdout);
  match(stdout, /NOTE CML-AUDIT-R1-MISSING_PARENT/);
  match(
    stdout,
    /\nsound, except for \d+ records that the store has deleted: 1 node; 0 FAIL, 0 WARN, \d+ NOTE\n$/,
  );
  match(stderr, /complete: 0 of 1 node; 1 with losses: node \(an unknown number of records\)/);
});

test('causes from before the time of the audit are there', options, async () => {
  const store = emptyStore();
  const lines = linesOf('runs', stepsOf('runs'));
  await store.insert(lines);
  const effects = lines.filter((line) => line.includes('"permitted_by":"parent_process_context"'));
  const middle = timeIn(effects[Math.floor(effects.length / 2)] ?? '');
  const [old, late] = [true, false].map((isOld) =>
    lines.filter((line) => timeIn(line) < middle === isOld),
  );
  const ids = new Set(old?.map(idIn));
  equal(
    late?.some((line) => ids.has(/"parent_cause":"([^"]*)"/.exec(line)?.[1] ?? '')),
    true,
  );
  const since = new Date(Number(middle / 1_000_000n)).toISOString();
  const { code, stdout } = await vcml('audit', '--since', since, store.address);
  equal(code, 0, stdout);
});

test('an audit of a store names a time', options, async () => {
  const store = emptyStore();
  await store.insert(linesOf('pods', stepsOf('pods')));
  for (const [args, code, message] of [
    [['--node', 'node', store.address], 64, /an audit of a store needs --since/],
    [['--since', '1h', '/tmp'], 64, /--since, --until and --node of this command are for a store/],
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

function linesOf(name: JournalName, steps: readonly Step[], format = 2): string[] {
  return recordsOf(name, steps).map((record) =>
    text(record).replace('"vcml.format.version":"1"', `"vcml.format.version":"${format}"`),
  );
}

/** The code and the id of each finding. */
function codesIn(stdout: string): string[] {
  return codes(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  );
}

function codes(findings: readonly { code: string; id: string | null }[]): string[] {
  return findings.map(({ code, id }) => `${code} ${id}`);
}

function timeIn(line: string): bigint {
  return BigInt(/"timestamp":(\d+)/.exec(line)?.[1] ?? '0');
}
