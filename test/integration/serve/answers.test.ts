import { deepEqual, equal, match } from 'node:assert/strict';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { exec, execId, HOOK, lines, loss, start, stop, text } from '../../check/craft.ts';
import { withheld } from '../../forensics/craft.ts';
import { Folder, segment, vcml } from '../../support/forensics.ts';
import { execLine, execLines, hostileLines } from '../../support/journal/lines.ts';
import { startServer } from '../../support/serve/server.ts';
import { threeNodes } from '../../support/serve/three-nodes.ts';
import type { CleanUp } from '../../support/temporary-folder.ts';
import { until } from '../../support/until.ts';

const INPUTS = join(import.meta.dirname, '../forensics/cases/inputs');
const HOUR = 3_600_000_000_000;

test('a download has the lines that query prints, and says how complete they are', async (t) => {
  const folder = folderFor(t);
  const hostile = hostileLines(300, 5);
  const path = folder.journal('hostile.jsonl', [
    ...hostile.slice(0, 200),
    '{"broken',
    ...hostile.slice(200),
  ]);
  const server = await startServer(t, path);
  for (const [name, value] of [
    ['node', 'node-[12]'],
    ['gap', 'true'],
    ['arg', '/./'],
  ] as const) {
    const args = name === 'gap' ? ['--gap'] : [`--${name}`, value];
    for (const form of ['jsonl', 'csv']) {
      const expected = await vcml('query', ...args, '--output', form, path);
      const path_ = `/api/export?${name}=${encodeURIComponent(value)}&form=${form}`;
      const { status, headers, body } = await server.send(path_);
      equal(status, 200);
      equal(headers['content-disposition'], `attachment; filename="vcml-records.${form}"`);
      const end = body.trimEnd().lastIndexOf('\n') + 1;
      equal(body.slice(0, end), expected.stdout);
      match(body.slice(end), /\d+.*complete: .* of \d nodes?.*skipped 1 line that cannot be read/);
    }
  }
});

test('downloads that nobody reads keep no question waiting', async (t) => {
  const folder = folderFor(t);
  const args = ['p', 'a'.repeat(30_000)];
  const server = await startServer(t, folder.journal('long.jsonl', execLines(0, 1000, { args })));
  const { hostname, port } = server.address;
  for (let n = 0; n < 4; n += 1) {
    const headers = { authorization: server.authorization };
    const asking = get({ hostname, port, path: '/api/export', headers, agent: false });
    t.after(() => asking.destroy());
    asking.on('error', () => {});
    const [response] = await once(asking, 'response');
    response.pause();
  }
  equal((await server.json('/api/records?limit=1')).matched, 1000);
});

test('records arrive as they are, whatever characters they have', async (t) => {
  const folder = folderFor(t);
  const hostile = hostileLines(200, 3);
  const server = await startServer(t, folder.journal('hostile.jsonl', hostile));
  const { headers, body } = await server.send('/api/records?limit=200');
  equal(headers['content-type'], 'application/json; charset=utf-8');
  const { shapes, values, rows, matched } = JSON.parse(body);
  equal(matched, 200);
  for (const [index, [shape, ...places]] of rows.entries()) {
    const names: string[] = shapes[shape];
    const field = (name: string) => values[places[names.indexOf(name)] ?? -1];
    const { object, actor, attributes, resource } = JSON.parse(hostile[index] ?? '');
    deepEqual(
      [field('object'), field('actor.comm'), field('attributes.process.command_args')],
      [object, actor.comm, attributes['process.command_args']],
    );
    deepEqual(field('resource'), resource);
  }
});

test('a page begins and ends at any place of the time, in both directions', async (t) => {
  const folder = folderFor(t);
  const server = await startServer(t, folder.journal('one.jsonl', execLines(0, 30)));
  const all = await server.json('/api/records');
  equal(all.matched, 30);
  deepEqual([all.position, all.prev, all.next], [0, null, null]);
  const last = await server.json('/api/records?before=end&limit=10');
  deepEqual([last.matched, last.position, last.next], [30, 20, null]);
  const before = await server.json(`/api/records?before=${last.prev}&limit=20`);
  deepEqual([before.rows.length, before.prev, before.matched], [20, null, null]);
  const behind = await server.json(`/api/records?after=${before.next}&limit=20`);
  deepEqual([behind.rows, behind.values], [last.rows, last.values]);
  const time = JSON.parse(execLine(12).replace(/"timestamp":(\d+)/, '"timestamp":"$1"')).timestamp;
  const from = await server.json(`/api/records?from=${time}&limit=5`);
  deepEqual([from.matched, from.position, from.rows.length], [30, 12, 5]);
  equal((await server.json(`/api/records?before=${from.prev}`)).rows.length, 12);
});

test('the answers are about the files as they were, whatever their agent does to them', async (t) => {
  const folder = folderFor(t);
  const first = folder.journal(`node/${segment(1)}`, execLines(0, 2000));
  const second = folder.journal(`node/${segment(2)}`, execLines(2000, 2100));
  const server = await startServer(t, join(folder.path, 'node'));
  appendFileSync(second, `${execLine(2100)}\n`);
  const compressed = zstdCompressSync(
    Buffer.from(
      execLines(0, 2000)
        .map((line) => `${line}\n`)
        .join(''),
    ),
  );
  writeFileSync(`${first}.tmp`, compressed);
  renameSync(`${first}.tmp`, `${first}.zst`);
  rmSync(first);
  const { records, loaded } = await server.json('/api/summary');
  equal(records, '2100');
  match(loaded, /^\d{19}$/);
  const path = '/api/records?exe=/usr/bin/p1999';
  equal((await server.json(path)).rows.length, 1);
  rmSync(`${first}.zst`);
  const { status, body } = await server.send(path);
  equal(status, 502);
  match(JSON.parse(body).error, /was deleted or changed since it was read: read the inputs again/);
});

test('a file whose content was replaced by other records is not shown as what it was', async (t) => {
  const folder = folderFor(t);
  const path = folder.journal('one.jsonl', execLines(0, 50));
  const server = await startServer(t, path);
  const { rows, values } = await server.json('/api/records?limit=1');
  const id = values.find((one: unknown) => /^[0-9a-f-]{36}$/.test(`${one}`));
  equal(rows.length, 1);
  folder.journal('one.jsonl', execLines(50, 100));
  for (const question of ['/api/records', `/api/record/${id}`, '/api/tree']) {
    const { status, body } = await server.send(question);
    equal(status, 502, question);
    match(JSON.parse(body).error, /was deleted or changed since it was read/);
  }
  for (const lines of [execLines(50, 100), execLines(0, 20)]) {
    folder.journal('one.jsonl', lines);
    const { status, body } = await server.send('/api/export');
    deepEqual([status, body.includes('"vcml"')], [502, false]);
  }
});

test('a long chain is answered with its nearest causes and its last one', async (t) => {
  const folder = folderFor(t);
  const chain = Array.from({ length: 100 }, (_, n) =>
    text(exec(10 * n + 10, n + 100, 0, n + 1, n === 0 ? {} : { parent: execId(10 * n, n + 99) })),
  );
  const server = await startServer(t, folder.journal('long.jsonl', chain));
  const answer = await server.json(`/api/record/${execId(1000, 199)}`);
  deepEqual([answer.rows.length, answer.between, answer.id], [32, 68, execId(1000, 199)]);
  const ids = answer.values.filter((one: unknown) => /^[0-9a-f-]{36}$/.test(`${one}`));
  equal(ids.includes(execId(10, 100)), true);
  equal(ids.includes(execId(500, 149)), false);
  match(answer.end, /^The memory ends at/);
  equal(answer.sentences[31], 'Before that are 68 more causes, which are left out here.');
  match(answer.sentences[32], /^At .* ran on the host/);
  equal(answer.sentences.at(-1), answer.end);
  const near = await server.json(`/api/record/${execId(320, 131)}`);
  deepEqual([near.rows.length, near.between, near.sentences.length], [32, 0, 33]);
});

test('a histogram counts every record once, and shows losses and silent nodes', async (t) => {
  const server = await startServer(t, ...written(t));
  const { bars, from, to, nodes } = await server.json('/api/histogram?bars=6');
  equal(nodes, 3);
  const sum = (name: string) =>
    bars.reduce((total: number, bar: Record<string, number>) => total + Number(bar[name]), 0);
  equal(sum('records'), (await server.json('/api/records')).matched);
  deepEqual([sum('lossRecords'), sum('lost')], [1, 2]);
  equal(bars[0].silent, 0);
  equal(bars[2].silent > 0, true);
  deepEqual([bars[0].from, bars.at(-1).to], [from, to]);
  // Of what the selection leaves out, losses and silence stay.
  const few = await server.json(
    '/api/histogram?exe=/nowhere&since=2000-01-01&until=2100-01-01&bars=1',
  );
  deepEqual([few.bars[0].records, few.bars[0].lost, few.bars[0].silent], [0, 2, 0]);
  // In a part of a second, no node is silent.
  const [since, until] = [0, 60_000].map((later) =>
    new Date(Number(BigInt(from) / 1_000_000n) + later).toISOString(),
  );
  const short = await server.json(`/api/histogram?since=${since}&until=${until}&bars=300`);
  equal(short.nodes > 0, true);
  equal(
    short.bars.every((bar: Record<string, number>) => bar.silent === 0),
    true,
  );
});

test('what is not known is named by node and hour', async (t) => {
  const server = await startServer(t, ...written(t));
  const { nodes, times, step } = await server.json('/api/unknown');
  equal(step, `${HOUR}`);
  const states = new Map(
    nodes.map((one: { node: string; cells: { state: string }[] }) => [
      one.node,
      one.cells.map(({ state }) => state).join(' '),
    ]),
  );
  equal(times.length, 5);
  deepEqual(Object.fromEntries(states), {
    'node-1': 'complete complete complete complete complete',
    'node-2': 'losses none none none none',
    'node-3': 'complete holes silent silent complete',
  });
  const lost = nodes.find(({ node }: { node: string }) => node === 'node-2').cells[0];
  deepEqual([lost.lost, lost.records], [2, 6]);
  const later = await server.json('/api/unknown?node=node-3');
  equal(later.nodes.length, 1);
});

test('what is missing while no agent was running is not called no agent', async (t) => {
  const at = HOUR - (Number(HOOK) % HOUR);
  const journal = lines([
    start([1], 'attached', at),
    exec(at + 1, 7, 0, 1),
    stop(at + 2, 1, 1, 0, 0),
    start([2], 'resumed', at + 3 * HOUR),
    loss(at + 3 * HOUR + 1, 2, 0, 2, 3, { 'vcml.loss.stage': 'quiet' }),
    exec(at + 3 * HOUR + 2, 7, 0, 4),
    withheld(0, ['5-6'], { 'vcml.boot_time': String(HOOK + BigInt(at + 5 * HOUR)) }),
    stop(at + 6 * HOUR, 3, 1, 0, 1),
    start([7], 'resumed', at + 8 * HOUR),
  ]).map((line) =>
    line.includes('journal.withheld')
      ? line.replace(/"timestamp":\d+/, `"timestamp":${stampOf(at + 5 * HOUR)}`)
      : line,
  );
  const server = await startServer(t, folderFor(t).journal('node.jsonl', journal));
  const { nodes } = await server.json('/api/unknown');
  deepEqual(
    nodes[0].cells.map(({ state }: { state: string }) => state),
    [
      'losses',
      'losses',
      'losses',
      'losses',
      'withheld',
      'withheld',
      'complete',
      'none',
      'complete',
    ],
  );
});

test('a tree of the last seconds changes as time passes, and its parts do not', async (t) => {
  const folder = folderFor(t);
  const at = Date.now() - 60_000;
  const lines = execLines(0, 9).map((line, n) =>
    line.replace(/"timestamp":\d+/, `"timestamp":${at + n}000000`),
  );
  const server = await startServer(t, folder.journal('now.jsonl', lines));
  const since = `since=${Math.ceil((Date.now() - at) / 1000) + 2}s`;
  const first = await server.json(`/api/tree?${since}&limit=1`);
  equal(first.rows.length, 1);
  await until('the records are too old', async () => {
    const { rows } = await server.json(`/api/tree?${since}`);
    return rows.length === 0;
  });
  const rest = await server.json(`/api/tree?${since}&after=${first.next}`);
  equal(rest.rows.length, 2);
  equal((await server.send('/api/tree?after=1-x')).status, 400);
});

test('a chain has its end in words, and what the audit log says', async (t) => {
  const log = join(INPUTS, 'au.jsonl').replace('au.jsonl', 'au-bom.log');
  const server = await startServer(t, join(INPUTS, 'au.jsonl'), '--audit-log', log);
  const found = await server.json('/api/record/debcc1d2');
  equal(found.id, 'debcc1d2-7c8e-5ad4-9f13-9951cda3215f');
  match(found.notes[0][1][0], /pods\/exec by alice from 192\.0\.2\.7/);
  match(found.end, /^The memory ends/);
  const { warnings, auditLog } = await server.json('/api/summary');
  match(auditLog, /1 pods\/exec request in 1 line/);
  deepEqual(warnings, []);
});

test('an empty journal and one without any file to read', async (t) => {
  const folder = folderFor(t);
  mkdirSync(join(folder.path, 'empty'));
  const server = await startServer(t, folder.journal('empty.jsonl', []));
  for (const path of ['summary', 'records', 'histogram', 'tree', 'values/pod', 'unknown', 'export'])
    equal((await server.send(`/api/${path}`)).status, 200, path);
  equal((await vcml('serve', join(folder.path, 'nothing'))).code, 2);
});

/** The Unix time at so many nanoseconds after the arming. */
function stampOf(at: number): bigint {
  return 1_764_000_000_000_000_000n + HOOK + BigInt(at);
}

/** Writes the journals of three nodes. */
function written(t: CleanUp): readonly string[] {
  const folder = folderFor(t);
  return Object.entries(threeNodes()).map(([node, journal]) =>
    folder.journal(`${node}/${segment(1)}`, journal),
  );
}

function folderFor(t: CleanUp): Folder {
  const folder = new Folder();
  t.after(() => folder.close());
  return folder;
}
