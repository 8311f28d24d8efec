import { deepEqual, equal, match } from 'node:assert/strict';
import { get } from 'node:http';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { ReportRecord } from '../../../forensics/report/render.ts';
import { text } from '../../check/craft.ts';
import { NO_CLICKHOUSE } from '../../support/clickhouse/clickhouse.ts';
import { type Stored, startStore } from '../../support/clickhouse/stored.ts';
import { Folder } from '../../support/forensics.ts';
import { exec, idOf } from '../../support/report/incident.ts';
import { linesOf } from '../../support/serve/journal-of.ts';
import { type Server, startServer } from '../../support/serve/server.ts';
import { threeNodes } from '../../support/serve/three-nodes.ts';
import { until } from '../../support/until.ts';
import { recordsOf, stepsOf } from '../forensics/mutations/sound.ts';

const options = { skip: NO_CLICKHOUSE };

/** Selections that use every word in which the engines differ. */
const SELECTIONS = [
  '',
  'node=cell*',
  'node=/^cell-[2-3]$/',
  'exe=/usr/bin/*',
  'exe=/b(a)?sh$/',
  'exe=%2Fusr%2F*%2F[a-b]?sh',
  'exe=[!%2F]*',
  'exe=/A/',
  'arg=-c',
  'arg=/^-/',
  'arg=*.*',
  'arg=/a.b/',
  'arg=a%0Ab',
  "arg='%22\\%25",
  'arg=*\\%25',
  'arg=[[]x',
  'container=0a1b',
  'container=app',
  'owner=cart',
  'owner=deployment/*',
  'image=*cart*',
  'user=root',
  'user=1000',
  'gap=true',
  'gap=predates_hook',
  'entry=exec',
  'entry=start',
  'pod=shop/*',
  'pod=shop/cart-2',
  'namespace=shop&exe=/usr/bin/dash',
  'action=journal.*',
  'label=app',
  'label=app=cart',
  'label=empty',
  'label=empty=',
  'upper-layer=true',
  'memfd=true',
  'setuid',
];

/** Records on which each of these holds for some and not for others. */
function varied(): readonly ReportRecord[] {
  const args = [['-c', 'a.b'], ['a\nb'], [`'"\\%`], ['[x'], ['axb'], ['A']];
  const flags = ['vcml.executable.upper_layer', 'vcml.executable.memfd', 'vcml.executable.setuid'];
  return Array.from({ length: 48 }, (_, n) =>
    exec(n, {
      id: idOf(30_000 + n),
      ms: 100 * n,
      cause: n % 4 === 0 ? null : idOf(30_000 + n - 1),
      uid: n % 3 === 0 ? 0 : 1000,
      object: `/usr/bin/${['dash', 'bash', 'cash', 'Ash', 'true'][n % 5]}`,
      args: ['p', ...(args[n % 6] ?? [])],
      ...(n % 2 === 0 ? {} : { pod: `cart-${n % 3}` }),
      resource: {
        'host.name': `cell-${Math.floor(n / 4) % 4}`,
        ...(n % 2 === 0 ? {} : { 'k8s.deployment.name': n % 6 === 1 ? 'cart' : 'shop' }),
        ...(n % 7 === 1
          ? { 'container.image.name': 'registry/cart', 'container.id': '0a1b2c' }
          : {}),
        ...(n % 6 === 1 ? { 'k8s.pod.label.app': n % 12 === 1 ? 'cart' : 'shop' } : {}),
        ...(n % 8 === 3 ? { 'k8s.pod.label.empty': '' } : {}),
      },
      attributes: {
        'vcml.seq': n + 1,
        'vcml.cpu': 0,
        ...(n % 9 === 2 ? { [flags[Math.floor(n / 9) % 3] ?? '']: true } : {}),
        ...(n % 10 === 5 ? { 'vcml.entry': n % 20 === 5 ? 'exec' : 'start' } : {}),
      },
    }),
  );
}

test('a store answers as files with the same records do', options, async (t) => {
  const folder = new Folder();
  t.after(() => folder.close());
  const store = await startStore(t);
  const lines = [
    ...linesOf(varied()),
    ...recordsOf('runs', stepsOf('runs')).map(text),
    ...recordsOf('pods', stepsOf('pods')).map((record) =>
      text(record)
        .replace('"host.name":"node"', '"host.name":"node-2"')
        .replaceAll(/(?<="(?:id|parent_cause)":")./g, otherDigit),
    ),
  ]
    // A store knows its type.
    .map((line) => line.replace('"vcml.format.version":"1"', '"vcml.format.version":1'))
    .toSorted((a, b) => Number(timeIn(a) - timeIn(b)));
  await store.insert(lines);
  await store.insert(lines);
  const files = await startServer(t, folder.journal('nodes.jsonl', lines));
  const fleet = await startServer(t, store.address, '--since', '1970-01-02');
  for (const [n, selection] of SELECTIONS.entries()) {
    const others = n % 8 === 0 ? ['histogram', 'tree', 'values/exe', 'values/user'] : [];
    for (const question of ['records', ...others]) {
      const path = `/api/${question}?${selection}${/records|tree/.test(question) ? '&limit=1000' : ''}`;
      const [expected, found] = [await files.json(path), await fleet.json(path)];
      deepEqual(unpacked(found), unpacked(expected), path);
      if (question === 'records')
        equal(expected.matched > 0, true, `${selection} selects nothing, so that it tests nothing`);
    }
  }
  const ids = lines.map((line) => JSON.parse(line).id as string);
  for (const id of ids.filter((_, index) => index % 40 === 3)) {
    for (const question of ['record', 'children']) {
      const path = `/api/${question}/${id}`;
      deepEqual(unpacked(await fleet.json(path)), unpacked(await files.json(path)), path);
    }
  }
  for (const server of [files, fleet]) {
    deepEqual((await pages(server)).toSorted(), ids.toSorted());
    deepEqual(await backwards(server), (await pages(server)).toReversed());
  }
  const cells = '/api/unknown?since=2026-11-23T00:00:00Z';
  deepEqual(await fleet.json(cells), await files.json(cells));
  const [one, other] = [await exported(files), await exported(fleet)];
  deepEqual(other.records, one.records);
  equal(other.complete, one.complete);
});

test('a store knows of each hour what files know', options, async (t) => {
  const folder = new Folder();
  t.after(() => folder.close());
  const store = await startStore(t);
  const journals = Object.entries(threeNodes());
  for (const [, lines] of journals) await store.insert(lines);
  const paths = journals.map(([node, lines]) => folder.journal(`${node}.jsonl`, lines));
  const files = await startServer(t, ...paths);
  const fleet = await startServer(t, store.address, '--since', '1970-01-02');
  for (const asked of ['', 'node=node-[23]', 'since=2025-11-24T19:00:00Z']) {
    const expected = await files.json(`/api/unknown?${asked}`);
    deepEqual(await fleet.json(`/api/unknown?${asked}`), expected, asked);
    equal(new Set(JSON.stringify(expected).match(/"state":"\w+"/g)).size > 2, true, asked);
  }
});

test('a record whose cause only another node claims to have is a root', options, async (t) => {
  const folder = new Folder();
  t.after(() => folder.close());
  const store = await startStore(t);
  const resource = (node: string) => ({ resource: { 'host.name': node } });
  const lines = linesOf([
    exec(1, { ...resource('node-2'), ms: 0 }),
    exec(2, { ...resource('node-1'), ms: 100, cause: idOf(1) }),
    exec(3, { ...resource('node-1'), ms: 200, cause: idOf(2) }),
  ]);
  await store.insert(lines);
  const files = await startServer(t, folder.journal('nodes.jsonl', lines));
  const fleet = await startServer(t, store.address, '--since', '1970-01-02');
  for (const server of [files, fleet])
    deepEqual(idsOf(await server.json('/api/tree')), [idOf(1), idOf(2)]);
});

test('a question that nobody waits for ends on the server, too', options, async (t) => {
  const store = await startStore(t);
  await store.insert([text(exec(1))]);
  const server = await startServer(t, store.address);
  await store.query('DROP TABLE vcml.coverage SYNC');
  await store.query(
    `CREATE VIEW vcml.coverage AS SELECT * FROM vcml.coverage_local
     WHERE node NOT IN (SELECT toString(number) FROM numbers(100) WHERE sleepEachRow(1) = 1
       SETTINGS max_block_size = 1)`,
  );
  const { hostname, port } = server.address;
  const asking = get({
    hostname,
    port,
    path: '/api/completeness',
    headers: { authorization: server.authorization },
  });
  asking.on('error', () => {});
  await until('a query runs', async () => (await running(store)) > 0);
  asking.destroy();
  await until('no query runs', async () => (await running(store)) === 0);
  equal((await server.send('/')).status, 200);
  server.send('/api/completeness').catch(() => {});
  await until('a query runs', async () => (await running(store)) > 0);
  deepEqual(await server.stop(), { code: 0, stderr: '' });
  await until('no query runs', async () => (await running(store)) === 0);
});

test('the server ends although its store does not answer', options, async (t) => {
  const store = await startStore(t);
  await store.insert([text(exec(1))]);
  const server = await startServer(t, store.address);
  for (const { pid } of store.servers) process.kill(pid, 'SIGSTOP');
  server.send(`/api/record/${idOf(1)}`).catch(() => {});
  await pause(200);
  deepEqual(await server.stop(), { code: 0, stderr: '' });
});

async function running({ query }: Stored): Promise<number> {
  const [row] = await query<{ count: string }>(
    "SELECT toString(count()) AS count FROM system.processes WHERE http_user_agent LIKE '%vcml%'",
  );
  return Number(row?.count);
}

/** Returns an answer with its records as objects, in an order that both inputs have. */
function unpacked({ next, prev, shapes, values, rows, children, ...answer }: Answer): unknown {
  if (rows === undefined) return { ...answer, values };
  const records = rows.map(([shape = 0, ...places], index) => [
    Object.fromEntries(
      (shapes?.[shape] ?? []).map((name, at) => [name, values?.[places[at] ?? 0]]),
    ),
    Array.isArray(children) ? children[index] : children,
  ]);
  return { ...answer, records: records.toSorted(byText), hasNext: next !== null };
}

interface Answer extends Readonly<Record<string, unknown>> {
  readonly shapes?: readonly (readonly string[])[];
  readonly values?: readonly unknown[];
  readonly rows?: readonly (readonly number[])[];
  readonly next?: string | null;
}

function byText(one: unknown, other: unknown): number {
  return JSON.stringify(one) < JSON.stringify(other) ? -1 : 1;
}

function byId(one: { readonly id: string }, other: { readonly id: string }): number {
  return one.id < other.id ? -1 : 1;
}

async function pages(server: Server): Promise<string[]> {
  const all: string[] = [];
  for (let after = ''; ; ) {
    const page = await server.json(`/api/records?limit=70${after}`);
    all.push(...idsOf(page));
    if (page.next === null) return all;
    after = `&after=${encodeURIComponent(page.next)}`;
  }
}

async function backwards(server: Server): Promise<string[]> {
  const all: string[] = [];
  for (let before = 'end'; ; ) {
    const page = await server.json(`/api/records?limit=80&before=${encodeURIComponent(before)}`);
    all.push(...idsOf(page).toReversed());
    if (page.prev === null) return all;
    before = page.prev;
  }
}

function idsOf({ shapes = [], values = [], rows = [] }: Answer): string[] {
  return rows.map(([shape = 0, ...places]) => {
    const at = shapes[shape]?.indexOf('id') ?? 0;
    return String(values[places[at] ?? 0]);
  });
}

async function exported(server: Server) {
  const { body } = await server.send('/api/export?since=1970-01-02');
  const lines = body.trimEnd().split('\n');
  const { vcml } = JSON.parse(lines.pop() ?? '');
  const complete = vcml.notes.find((note: string) => note.startsWith('complete: '));
  match(complete, /^complete: /);
  return { records: lines.map((line) => JSON.parse(line)).toSorted(byId), complete };
}

function timeIn(line: string): bigint {
  return BigInt(/"timestamp":(\d+)/.exec(line)?.[1] ?? 0);
}

function otherDigit(digit: string): string {
  return ((Number.parseInt(digit, 16) + 1) % 16).toString(16);
}
