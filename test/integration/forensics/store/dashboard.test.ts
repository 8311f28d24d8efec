import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  type ClickHouse,
  NO_CLICKHOUSE,
  startClickHouse,
} from '../../../support/clickhouse/clickhouse.ts';
import { exporterRow } from '../../../support/clickhouse/exporter-row.ts';
import { addressOf, startStore } from '../../../support/clickhouse/stored.ts';
import { vcml } from '../../../support/forensics.ts';
import { BOOT_ID } from '../../../support/ids.ts';
import { execLine, journalLine } from '../../../support/journal/lines.ts';
import { ROOT } from '../../../support/paths.ts';

const options = { skip: NO_CLICKHOUSE };

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>;
  readonly targets?: readonly { readonly rawSql: string; readonly format: number }[];
}

interface Dashboard {
  readonly uid: string;
  readonly templating: { readonly list: readonly Record<'name' | 'type' | 'query', string>[] };
  readonly panels: readonly Panel[];
}

const DASHBOARD: Dashboard = JSON.parse(
  readFileSync(join(ROOT, 'deploy/dashboards/vcml-store.json'), 'utf8'),
);

/** Every hour is this many milliseconds, and so many records, behind the one before. */
const HOUR = 3_600_000;
/** Three hours behind the first record, at 06:09:15. */
const FROM = Date.parse('2026-11-23T06:00:00Z') / 1000;
const TO = Date.parse('2026-11-23T07:30:00Z') / 1000;

/** The values that a viewer has chosen; a variable that is not there has all values. */
type Chosen = Readonly<Record<string, readonly string[]>>;

test('each panel answers from the tables of a cluster', options, async (t) => {
  const store = await startStore(t);
  await showsWhatHappened(store.servers[0] as ClickHouse, store.merge);
});

test('each panel answers from the tables of one server', options, async (t) => {
  const server = await startClickHouse(t);
  const made = await vcml('store', 'init', addressOf(server), '--keep-days', '20000');
  equal(made.code, 0, made.stderr);
  await showsWhatHappened(server, async () => {
    for (const table of ['records', 'journal', 'coverage', 'first_seen'])
      await server.query(`OPTIMIZE TABLE vcml.${table} FINAL`);
  });
});

/** Inserts what happened on five nodes, and checks what each panel and variable shows. */
async function showsWhatHappened(server: ClickHouse, merge: () => Promise<void>): Promise<void> {
  await insert(server, LINES);
  // A replay shows nothing else.
  await insert(server, LINES.slice(2).toReversed());
  const show = (title: string, chosen: Chosen = {}, type = '') =>
    rowsOf(server, sqlOf(title, type), chosen);
  for (const prepare of [async () => {}, merge]) {
    await prepare();
    deepEqual(await show('Nodes'), [[4]]);
    deepEqual(await show('Silent nodes'), [[2]]);
    deepEqual(await show('Lost records'), [[2]]);
    deepEqual(await show('Unexplained'), [[1]]);
    deepEqual(await show('Unexplained', { node: ['node-2', 'node-3'] }), [[0]]);
    deepEqual(await show('Execs by node'), [
      ['2026-11-23 06:00:00', 'node-1', 3],
      ['2026-11-23 06:00:00', 'node-2', 2],
      ['2026-11-23 06:00:00', 'node-3', 2],
      ['2026-11-23 06:00:00', 'node-4', 1],
      ['2026-11-23 07:00:00', 'node-1', 2],
      ['2026-11-23 07:00:00', 'node-2', 2],
      ['2026-11-23 07:00:00', 'node-3', 1],
    ]);
    deepEqual(await show('Execs by node', { namespace: ['shop'], pod: ['cart-2'] }), [
      ['2026-11-23 06:00:00', 'node-2', 2],
      ['2026-11-23 07:00:00', 'node-2', 2],
    ]);
    deepEqual(
      (await show('Top executables')).map((row) => row.slice(0, 4)),
      [
        ['/usr/bin/tool-1', 5, 1, 1],
        ['/usr/bin/tool-2', 4, 1, 1],
        ['/usr/bin/tool-3', 3, 1, 1],
        ['/usr/bin/tool-5', 1, 1, 1],
      ],
    );
    deepEqual(
      (await show('Executables that are new')).map((row) => [row[0], row[3]]),
      // node-5 has run tool-5 before.
      [1, 2, 3].map((n) => [`/usr/bin/tool-${n}`, 1]),
    );
    deepEqual(await show('Losses and holes'), [
      ['2026-11-23 06:00:00', 1, 0, 0, 0],
      ['2026-11-23 07:00:00', 0, 2, 1, 2],
    ]);
    deepEqual(await show('Gaps by reason'), [
      ['2026-11-23 07:00:00', 'lost', 1],
      ['2026-11-23 07:00:00', 'unmarked', 1],
    ]);
    deepEqual(await show('Completeness by node and hour'), [
      ['2026-11-23 06:00:00', 'node-1', 2],
      ['2026-11-23 06:00:00', 'node-2', 0],
      ['2026-11-23 06:00:00', 'node-3', 0],
      ['2026-11-23 06:00:00', 'node-4', 0],
      ['2026-11-23 07:00:00', 'node-1', 0],
      ['2026-11-23 07:00:00', 'node-2', 1],
      ['2026-11-23 07:00:00', 'node-3', 0],
    ]);
    deepEqual(
      (await show('Silent nodes', {}, 'table')).map(([node]) => node),
      ['node-5', 'node-4'],
    );
    deepEqual(
      (await show('Starts, stops and losses')).map((row) => row.slice(1, 5)),
      [
        ['node-3', 'journal.withheld', '', 2],
        ['node-2', 'journal.loss', 'kernel', null],
        ['node-2', 'journal.loss', 'ring_buffer', 2],
        ['node-1', 'journal.start', 'attached', null],
      ],
    );
  }
  const values = (name: string, chosen: Chosen) => rowsOf(server, variableOf(name), chosen);
  deepEqual(
    await values('node', {}),
    [1, 2, 3, 4, 5].map((n) => [`node-${n}`]),
  );
  deepEqual(await values('namespace', {}), [['shop']]);
  deepEqual(
    await values('pod', { namespace: ['shop'] }),
    [1, 2, 3, 4].map((n) => [`cart-${n}`]),
  );
}

test('names that a query would have to escape are not offered', options, async (t) => {
  const server = await startClickHouse(t);
  equal((await vcml('store', 'init', addressOf(server), '--keep-days', '20000')).code, 0);
  await insert(server, [exec(1, 3, 1), exec(1, 3, 2).replace('"node-1"', '"\') OR 1=1 --"')]);
  deepEqual(await rowsOf(server, variableOf('node'), {}), [['node-1']]);
  deepEqual(await rowsOf(server, sqlOf('Nodes'), {}), [[2]]);
});

test('the dashboard is one that Grafana can load', () => {
  equal(DASHBOARD.uid, 'vcml-store');
  const ids = DASHBOARD.panels.map(({ id }) => id);
  equal(new Set(ids).size, ids.length);
  const queries = DASHBOARD.panels.flatMap(({ targets = [] }) => targets);
  ok(queries.length >= 12);
  for (const { type, title, gridPos, targets } of DASHBOARD.panels) {
    ok(gridPos.x + gridPos.w <= 24, title);
    equal(targets === undefined, type === 'row', title);
    const isOverTime = type === 'timeseries' || type === 'status-history';
    for (const { format } of targets ?? []) equal(format, isOverTime ? 0 : 1, title);
  }
  for (const [index, one] of DASHBOARD.panels.entries())
    for (const other of DASHBOARD.panels.slice(index + 1))
      ok(!overlap(one.gridPos, other.gridPos), `${one.title} and ${other.title} overlap`);
  const names = DASHBOARD.templating.list.map(({ name }) => name);
  for (const { rawSql } of queries)
    for (const [, name = ''] of rawSql.matchAll(/\$\{?([a-z]\w*)/g))
      ok(names.includes(name), `$${name} in ${rawSql}`);
});

const place = (hour: number) => hour * HOUR;

/** An exec of a node in an hour behind the first one, with a number of CPU 0. */
function exec(node: number, hour: number, seq: number, tool = node, more = ''): string {
  const resource = {
    'host.name': `node-${node}`,
    'k8s.namespace.name': 'shop',
    'k8s.pod.name': `cart-${node}`,
    'container.image.name': 'tools',
  };
  const object = `/usr/bin/tool-${tool}`;
  return execLine(place(hour) + 2 * seq, { seq, object, resource, more }).replaceAll(
    '"00000000-',
    `"0000000${node}-`,
  );
}

/** A record about the journal of a node, some nanoseconds behind the beginning of an hour. */
function about(node: number, action: string, hour: number, after: number, more: string): string {
  const line = journalLine(action, place(hour) * 1_000_000 + after, more);
  return line.replace('"node-1"', `"node-${node}"`);
}

const LOST = `,"vcml.boot.id":"${BOOT_ID}","vcml.loss.stage":"ring_buffer","vcml.loss.hook_id":"1","vcml.loss.cpu":0,"vcml.loss.first_seq":3,"vcml.loss.last_seq":4,"vcml.loss.count":2`;
const WITHHELD = `,"vcml.boot.id":"${BOOT_ID}","vcml.withheld.hook_id":"1","vcml.withheld.cpu":0,"vcml.withheld.ranges":["3-4"],"vcml.withheld.count":2`;

/** Holes on node-1, losses on node-2, rules on node-3; two more nodes end early. */
const LINES: readonly string[] = [
  about(1, 'journal.start', 3, 0, ',"vcml.hook.state":"attached"'),
  ...[1, 2, 4].map((seq) => exec(1, 3, seq)),
  ...[5, 6].map((seq) => exec(1, 4, seq)),
  ...[1, 2].map((seq) => exec(2, 3, seq)),
  about(2, 'journal.loss', 4, 1, LOST),
  about(2, 'journal.loss', 4, 2, `,"vcml.boot.id":"${BOOT_ID}","vcml.loss.stage":"kernel"`),
  ...[5, 6].map((seq) => exec(2, 4, seq, 2, seq === 6 ? ',"vcml.gap.reason":"lost"' : '')),
  ...[1, 2].map((seq) => exec(3, 3, seq)),
  about(3, 'journal.withheld', 4, 3, WITHHELD),
  exec(3, 4, 5),
  exec(4, 3, 1, 5),
  exec(5, 0, 1),
];

async function insert({ query }: ClickHouse, lines: readonly string[]): Promise<void> {
  const rows = lines.map((line) => JSON.stringify(exporterRow(line)));
  await query(
    `INSERT INTO vcml.otel SETTINGS distributed_foreground_insert = 1,
       date_time_input_format = 'best_effort' FORMAT JSONEachRow\n${rows.join('\n')}`,
  );
}

function sqlOf(title: string, type = ''): string {
  const panel = DASHBOARD.panels.find(
    (one) => one.title === title && (type === '' || one.type === type),
  );
  const [target] = panel?.targets ?? [];
  if (target === undefined) throw new Error(`there is no panel ${title}`);
  return target.rawSql;
}

function variableOf(name: string): string {
  const variable = DASHBOARD.templating.list.find((one) => one.name === name);
  match(variable?.type ?? '', /^query$/);
  return variable?.query ?? '';
}

/** Returns the values of an answer; numbers of 64 bits may be quoted. */
async function rowsOf({ query }: ClickHouse, sql: string, chosen: Chosen): Promise<unknown[][]> {
  const rows = await query(expanded(sql, chosen));
  return rows.map((row) =>
    Object.values(row).map((value) =>
      typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value,
    ),
  );
}

/** Replaces macros as the data source does, and variables as Grafana does; an interval is an hour. */
function expanded(sql: string, chosen: Chosen): string {
  return sql
    .replaceAll(/\$__conditionalAll\((.*?\)), \$(\w+)\)/g, (_, condition, name) =>
      chosen[name] === undefined ? '1=1' : condition,
    )
    .replaceAll(/\$\{(\w+):singlequote\}/g, (_, name) =>
      (chosen[name] ?? []).map((value) => `'${value.replaceAll("'", "\\'")}'`).join(','),
    )
    .replaceAll(/\$\{database\}/g, 'vcml')
    .replaceAll(/\$\{__from\}/g, `${FROM}000`)
    .replaceAll(/\$\{__to\}/g, `${TO}000`)
    .replaceAll(/\$__fromTime\b/g, `toDateTime(${FROM})`)
    .replaceAll(/\$__toTime\b/g, `toDateTime(${TO})`)
    .replaceAll(
      /\$__timeInterval\((\w+)\)/g,
      'toStartOfInterval(toDateTime($1), INTERVAL 3600 second)',
    );
}

function overlap(one: Panel['gridPos'], other: Panel['gridPos']): boolean {
  const isBeside = one.x + one.w <= other.x || other.x + other.w <= one.x;
  const isAbove = one.y + one.h <= other.y || other.y + other.h <= one.y;
  return !isBeside && !isAbove;
}
