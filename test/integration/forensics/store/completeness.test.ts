import { deepEqual, equal, match } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { factsByPart } from '../../../../forensics/store/arrivals/by-part.ts';
import { storeCompleteness } from '../../../../forensics/store/arrivals/completeness.ts';
import { connect, type Store } from '../../../../forensics/store/connect.ts';
import { exec, HOOK, lines, start, stop, time } from '../../../check/craft.ts';
import { NO_CLICKHOUSE } from '../../../support/clickhouse/clickhouse.ts';
import { type Stored, sharedStore } from '../../../support/clickhouse/stored.ts';
import { Folder, segment, vcml } from '../../../support/forensics.ts';
import { BOOT_ID } from '../../../support/ids.ts';
import { execLine, idIn, journalLine } from '../../../support/journal/lines.ts';

const options = { skip: NO_CLICKHOUSE };
const emptyStore = sharedStore();
/** An exec is a millisecond behind the one before. */
const HOUR = 3_600_000;
const LOST = `,"vcml.boot.id":"${BOOT_ID}","vcml.loss.stage":"ring_buffer","vcml.loss.hook_id":"1","vcml.loss.cpu":0,"vcml.loss.first_seq":3,"vcml.loss.last_seq":4,"vcml.loss.count":2`;

const withheld = (ranges: string) =>
  `,"vcml.boot.id":"${BOOT_ID}","vcml.withheld.hook_id":"1","vcml.withheld.cpu":0,"vcml.withheld.ranges":[${ranges}]`;

test('an answer says on which nodes every record has arrived', options, async () => {
  const store = emptyStore();
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
      await completeness(store, '--since', '2026-11-23T03:09:20Z'),
      'vcml: complete: 1 of 2 nodes; 1 with holes that nothing explains: node-2 (2 records); rules withheld 5 records',
    );
  }
  equal(
    await completeness(
      store,
      '--since',
      '2026-11-23T03:09:20Z',
      '--node',
      'node-1',
      '--exe',
      '/nowhere',
    ),
    'vcml: complete: 1 of 1 node; rules withheld 5 records',
  );
  for (const [pattern, says] of [
    ['node-[1]', '1 of 1 node; rules withheld 5 records'],
    ['node-[23]', '0 of 1 node; 1 with holes that nothing explains: node-2 (2 records)'],
    ['other-*', '0 of 0 nodes; no node of this name has sent a record'],
  ] as const)
    equal(
      await completeness(store, '--since', '2026-11-23T03:09:20Z', '--node', pattern),
      `vcml: complete: ${says}`,
    );
  match(
    await completeness(store, '--since', '2027-01-01', '--node', 'node-1'),
    /^vcml: complete: 0 of 1 node; 1 silent: node-1 \(since 2026-11-23T03:09:15Z\)$/,
  );
});

test(
  'a time without a hook, and what a later start proves, count as over files',
  options,
  async (t) => {
    const folder = new Folder();
    t.after(() => folder.close());
    const HOUR_NS = 3_600_000_000_000;
    const detached = stop(100 * HOUR_NS, 1, 2, 2, 0);
    detached.attributes['vcml.hook.state'] = 'detached';
    const records = [
      start([1, 1]),
      exec(10 * HOUR_NS, 100, 0, 1),
      exec(20 * HOUR_NS, 101, 0, 2),
      detached,
      start([3, 1], 'attached', 200 * HOUR_NS),
      exec(300 * HOUR_NS, 102, 0, 3),
      start([9, 1], 'resumed', 400 * HOUR_NS),
    ];
    for (const { attributes } of records)
      if ('vcml.format.version' in attributes) attributes['vcml.format.version'] = '2';
    const written = lines(records);
    const file = folder.journal(`node/${segment(1)}`, written);
    const store = emptyStore();
    await store.insert(written);
    const moment = (seconds: number) => time(HOOK + BigInt(seconds * HOUR_NS));
    const found: string[] = [];
    for (const [from, to] of [
      [0, 50],
      [120, 180],
      [250, 350],
      [0, 500],
    ] as const) {
      const asked = ['--since', moment(from), '--until', moment(to)];
      const stored = await completeness(store, ...asked);
      const { stderr } = await vcml(
        'query',
        ...asked,
        file,
        folder.journal(`other/${segment(1)}`, []),
      );
      equal(stored, stderr.trimEnd().split('\n').at(-1), `${from} to ${to}`);
      found.push(stored);
    }
    match(found[1] ?? '', /1 without a hook for a time: node \(since [^)]+\)/);
    match(found[3] ?? '', /1 with holes that nothing explains: node \(5 records\)/);
  },
);

test(
  'a time in the future makes no node complete until then, and no other one silent',
  options,
  async () => {
    const store = emptyStore();
    await store.insert([
      ...onNode('node-1', [1, 2]),
      ...onNode('node-1', [3], 70 * 365 * 24 * HOUR),
      ...onNode('node-2', [1, 2]),
      ...onNode('node-3', [1], 70 * 365 * 24 * HOUR),
    ]);
    const unjudged =
      '1 not judged: node-3 (all of its times are later than the clock of this machine)';
    const clocks =
      'times later than the clock of this machine: node-1 (2096-11-05T04:59:37Z), node-3 (2096-11-05T04:59:37Z)';
    equal(
      await completeness(
        store,
        '--since',
        '2026-11-23T03:09:20Z',
        '--until',
        '2026-11-23T03:30:00Z',
      ),
      `vcml: complete: 2 of 3 nodes; ${unjudged}; ${clocks}`,
    );
    const silent = 'since 2026-11-23T03:09:15Z';
    equal(
      await completeness(store, '--since', '2026-11-23T03:00:00Z', '--until', '2026-11-24'),
      `vcml: complete: 0 of 3 nodes; ${unjudged}; 2 silent: node-1 (${silent}), node-2 (${silent}); ${clocks}`,
    );
  },
);

test('holes count in their hour, and between hours', options, async () => {
  const store = emptyStore();
  await store.insert([
    ...onNode('node-1', [1, 2, 4]),
    ...onNode('node-1', [6, 7, 9, 13], HOUR),
    ...onNode('node-1', [14], 2 * HOUR),
  ]);
  for (const [since, until, holes] of [
    ['2026-11-23T03:00:00Z', '2026-11-23T04:00:00Z', 2],
    ['2026-11-23T04:00:00Z', '2026-11-23T05:00:00Z', 5],
    ['2026-11-23T04:30:00Z', undefined, 5],
    ['2026-11-23T05:00:00Z', '2026-11-23T06:00:00Z', 0],
    ['2026-11-23T03:00:00Z', undefined, 6],
  ] as const) {
    const times = ['--since', since, ...(until === undefined ? [] : ['--until', until])];
    const says = await completeness(store, ...times, '--exe', '/nowhere');
    const found = / node-1 \((\d) records\)/.exec(says)?.[1] ?? '0';
    equal(Number(found), holes, `${times.join(' ')}: ${says}`);
  }
});

test('a hook has losses and rules also when nothing else of it is exported', options, async () => {
  const store = emptyStore();
  const lost = LOST.replace('_seq":3', '_seq":501').replace('_seq":4', '_seq":1500');
  await store.insert([
    ...onNode('node-1', [1]),
    journalLine('journal.withheld', HOUR * 1e6, withheld('"2-500"')),
    journalLine('journal.loss', 2 * HOUR * 1e6, lost),
    journalLine('journal.withheld', 3 * HOUR * 1e6, withheld('"1501-1600"')),
  ]);
  const losses =
    'vcml: complete: 0 of 1 node; 1 with losses: node-1 (1000 records); rules withheld';
  for (const [since, until, says] of [
    ['03:30', '07:00', `${losses} 599 records`],
    ['05:00', '07:00', `${losses} 100 records`],
    ['06:00', '07:00', `${losses} 100 records`],
    ['04:00', '05:00', `${losses} 598 records`],
    ['03:30', '04:00', 'vcml: complete: 1 of 1 node; rules withheld 498 records'],
  ]) {
    const times = [since, until].map((time) => `2026-11-23T${time}:00Z`);
    const asked = ['--since', times[0] ?? '', '--until', times[1] ?? ''];
    equal(await completeness(store, ...asked), says, asked.join(' '));
  }
  const { stderr } = await vcml('audit', '--since', '2026-11-23T05:00:00Z', store.address);
  equal(stderr.trimEnd().split('\n').at(-1), `${losses} 100 records`);
});

test('records that the store has deleted are not there, and are counted', options, async () => {
  const stored = emptyStore();
  const day = 24 * HOUR;
  const second = onNode('node-1', [7, 8, 9], day);
  await stored.insert([...onNode('node-1', [1, 2, 3, 4, 5, 6]), ...second]);
  // What arrives again does not take their place.
  await stored.insert(second);
  await stored.insert(onNode('node-2', [1, 2], day));
  for (const server of stored.servers)
    await server.query("ALTER TABLE vcml.records_local DROP PARTITION '2026-11-23'");
  const says = '1 with records that the store has deleted: node-1 (6 records)';
  equal(
    await completeness(stored, '--since', '2026-11-23T03:00:00Z', '--node', 'node-1'),
    `vcml: complete: 0 of 1 node; ${says}`,
  );
  equal(
    await completeness(stored, '--since', '2026-11-23T04:00:00Z'),
    'vcml: complete: 1 of 2 nodes; 1 that begin later than asked: node-2 (at 2026-11-24T03:09:15Z)',
  );
  const audit = await vcml('audit', '--output', 'jsonl', '--since', '2026-11-23', stored.address);
  match(
    audit.stdout,
    /"NOTE","code":"SEQ_MISSING".*node-1.*has deleted 6 records that had arrived/,
  );
  match(audit.stderr, /complete: 0 of 2 nodes; 1 with records that the store has deleted: node-1/);
  await using store = connect(stored.address, {});
  const since = BigInt(Date.parse('2026-11-23T02:00:00Z')) * 1_000_000n;
  const step = 3_600_000_000_000n;
  const parts = await factsByPart(store, undefined, { since, step, until: since + 27n * step });
  deepEqual(
    parts.flatMap((nodes, part) =>
      nodes.filter(({ deleted }) => deleted).map(({ node, deleted }) => [part, node, deleted]),
    ),
    [[1, 'node-1', 6]],
  );
});

test('records are counted as they are left, whatever removed the others', options, async () => {
  const stored = emptyStore();
  const nodes = ['node-1', 'node-2', 'node-3', 'node-4', 'node-5', 'node-6'];
  const [first, second] = [0, 24 * HOUR].map((from) =>
    nodes.flatMap((node) => onNode(node, [1, 2, 3, 4, 5, 6], from)),
  );
  if (first === undefined || second === undefined) throw new Error('there are no lines');
  const onEach = async (statement: string) => {
    for (const server of stored.servers) await server.query(statement);
  };
  for (const change of [
    () => stored.insert([...first, ...second]),
    () => stored.insert(first),
    () => stored.merge(),
    () => onEach("DELETE FROM vcml.records_local WHERE node = 'node-1' AND seq < 3"),
    () =>
      onEach(
        "ALTER TABLE vcml.records_local DELETE WHERE node < 'node-4' AND seq = 4 SETTINGS mutations_sync = 2",
      ),
    () => stored.merge(),
    () => onEach("ALTER TABLE vcml.records_local DROP PARTITION '2026-11-23'"),
  ]) {
    await change();
    const [read, counted] = await Promise.all(
      ['optimize_use_projections = 0', 'force_optimize_projection = 1'].map((setting) =>
        stored.query(
          `SELECT node, intDiv(timestamp, 3600000000000) AS begin, count() AS left FROM vcml.records
           WHERE action = 'exec' GROUP BY node, begin ORDER BY node, begin SETTINGS ${setting}`,
        ),
      ),
    );
    deepEqual(counted, read, `${change}`);
  }
});

test('an answer about what was deleted reads counts, and no records', options, async () => {
  const stored = emptyStore();
  await stored.insert(
    ['node-1', 'node-2', 'node-3', 'node-4'].flatMap((one) => onNode(one, [1, 2])),
  );
  await using store = connect(stored.address, {});
  const asked: string[] = [];
  const watched: Store = {
    ...store,
    rows<Row>(sql: string, parameters?: Readonly<Record<string, unknown>>) {
      asked.push(sql);
      return store.rows<Row>(sql, parameters);
    },
  };
  const since = BigInt(Date.parse('2026-11-23T03:00:00Z')) * 1_000_000n;
  for (const nodes of [undefined, ['node-1', 'node-2', 'node-3', 'node-4']])
    for (const times of [
      { since: undefined, until: undefined },
      { since, until: since + 7_200_000_000_000n },
    ])
      match(await storeCompleteness(watched, nodes, times), /^complete: \d of 4 nodes/);
  const counting = asked.filter((sql) => sql.includes('`records`'));
  equal(counting.length, 4);
  for (const sql of counting) {
    const plan = await stored.query<{ explain: string }>(`EXPLAIN ${sql}`);
    match(plan.map(({ explain }) => explain).join('\n'), /ReadFromMergeTree \(by_hour\)/);
  }
});

test('a store in which nothing has arrived says so', options, async () => {
  const { address } = emptyStore();
  const empty =
    'no agent has sent a record yet: check that the Collector inserts into the table otel';
  const query = await vcml('query', '--since', '1h', address);
  deepEqual(query, {
    code: 0,
    stdout: '',
    stderr: `vcml: no record was found\nvcml: complete: 0 of 0 nodes; ${empty}\n`,
  });
  const audit = await vcml('audit', '--since', '1h', address);
  deepEqual(audit, { code: 1, stdout: '', stderr: `vcml: ${empty}\n` });
});

test('what a boot lost at its end may be from its last record on', options, async (t) => {
  const store = emptyStore();
  const folder = new Folder();
  t.after(() => folder.close());
  const boot = BOOT_ID.replace('0', '1');
  const lost = `,"vcml.boot.id":"${boot}","vcml.loss.stage":"reboot","vcml.loss.boot_id":"${BOOT_ID}","vcml.loss.next_seq":[3]`;
  const one = [...onNode('node-1', [1, 2]), journalLine('journal.loss', 3 * HOUR * 1e6, lost)];
  const two = [...onNode('node-2', [1, 2]), ...onNode('node-2', [3], 5 * HOUR)];
  await store.insert([...one, ...two]);
  const files = [folder.journal('one.jsonl', one), folder.journal('two.jsonl', two)];
  const losses = '1 of 2 nodes; 1 with losses: node-1 (an unknown number of records)';
  for (const [since, until, says] of [
    ['03:30', '04:00', losses],
    ['04:00', '05:00', losses],
    ['06:00', '07:00', losses],
    ['07:00', '08:00', '1 of 2 nodes; 1 silent: node-1 (since 2026-11-23T06:09:15Z)'],
  ] as const) {
    const times = ['--since', `2026-11-23T${since}:00Z`, '--until', `2026-11-23T${until}:00Z`];
    for (const inputs of [files, [store.address]]) {
      const { stderr } = await vcml('query', ...times, ...inputs);
      equal(stderr.trimEnd().split('\n').at(-1), `vcml: complete: ${says}`, times.join(' '));
    }
  }
});

test('an answer about one record ends as from files, with the same words', options, async (t) => {
  const store = emptyStore();
  const folder = new Folder();
  t.after(() => folder.close());
  const one = onNode('node-1', [1, 2, 5]);
  const two = [
    ...onNode('node-2', [1, 2, 5]),
    journalLine('journal.loss', 900_000, LOST).replace('"node-1"', '"node-2"'),
  ];
  await store.insert([...one, ...two]);
  const files = [folder.journal('one.jsonl', one), folder.journal('two.jsonl', two)];
  const log = folder.write('audit.log', '');
  const page = join(folder.path, 'report.md');
  for (const [line = '', says] of [
    [one[2], '1 with holes that nothing explains: node-1 (2 records)'],
    [two[2], '1 with losses: node-2 (2 records)'],
  ] as const)
    for (const command of [
      ['chain'],
      ['chain', '--audit-log', log],
      ['tree'],
      ['report', '--markdown', '-o', page],
    ])
      for (const inputs of [files, [store.address]]) {
        const { stderr } = await vcml(...command, idIn(line), ...inputs);
        const last = stderr.trimEnd().split('\n').at(-1);
        equal(last, `vcml: complete: 0 of 1 node; ${says}`, command.join(' '));
        if (command[0] === 'report') match(readFileSync(page, 'utf8'), /complete: 0 of 1 node/);
      }
  const { code, stderr } = await vcml('chain', idIn(execLine(7)), store.address);
  equal(code, 1);
  match(stderr, /complete: 0 of 2 nodes; .*\nvcml: no record has the id/);
});

/** Execs of one CPU with these numbers; `from` moves their times. */
function onNode(node: string, seqs: readonly number[], from = 0): string[] {
  return seqs.map((seq) =>
    execLine(from + 2 * seq, { resource: { 'host.name': node } })
      .replace(/"vcml.seq":\d+/, `"vcml.seq":${seq}`)
      .replaceAll('"00000000-', node === 'node-1' ? '"00000000-' : '"00000002-'),
  );
}

/** Returns the last line that a query prints on stderr. */
async function completeness({ address }: Stored, ...selection: readonly string[]) {
  const { stderr } = await vcml('query', ...selection, address);
  return stderr.trimEnd().split('\n').at(-1) ?? '';
}
