import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { nodeFactsIn } from '../../../forensics/completeness/facts.ts';
import { NUMBERS } from '../../../forensics/completeness/files.ts';
import { type NodeState, stateOf } from '../../../forensics/completeness/node.ts';
import { type Life, lifeOf, randomFrom } from '../../support/completeness/set-clocks.ts';

const NODES = 300;
const NANOSECONDS = 1_000_000_000n;
/** 2025-11-24T16:16:40Z, in Unix seconds */
const ARMED_S = 1_764_001_000;
const HOUR_S = 3600;

interface Asked {
  readonly since: number;
  readonly until: number;
}

const anywhere = Array.from({ length: NODES }, (_, n) => lifeOf(n, true));
const between = Array.from({ length: NODES }, (_, n) => lifeOf(NODES + n, false));
const random = randomFrom(1);
const times = Array.from({ length: 12 }, (): Asked => {
  const since = ARMED_S + Math.floor((random() * 16 - 4) * HOUR_S);
  return { since, until: since + 1 + Math.floor(random() * 3 * HOUR_S) };
});
times.push({ since: 0, until: 2 * ARMED_S });

test('what is missing at a time is what may lie there by its neighbours, wherever clocks were set', async () => {
  let compared = 0;
  for (const asked of times) {
    const states = await statesOf(anywhere, asked);
    for (const life of anywhere) {
      const state = states.get(life.node);
      const expected = missingAt(life, asked);
      assert.deepEqual(countsOf(state), expected, `${life.node} ${JSON.stringify(asked)}`);
      if (expected.records > 0) compared += 1;
    }
  }
  assert.ok(compared > NODES, `${compared} answers name what is missing`);
});

test('no memory is complete at the time of an exec that is missing', async () => {
  let found = 0;
  for (const asked of times) {
    const states = await statesOf(between, asked);
    for (const life of between) {
      const state = states.get(life.node);
      const known = Math.max(
        ...life.execs.filter(({ fate }) => fate === 'kept').map(({ seq }) => seq),
        ...life.reports.flatMap(({ numbers }) => numbers),
      );
      // Nobody knows of what is behind the last number that anything names.
      const missing = life.execs.filter(
        ({ seq, wall, fate }) =>
          fate !== 'kept' &&
          seq < known &&
          isIn(wall, asked) &&
          (life.start || seq > leastOf(life)),
      );
      const lost = missing.filter(({ fate }) => fate !== 'withheld').length;
      const { withheld = 0, flaw } = state ?? {};
      const says = `${life.node} ${JSON.stringify(asked)}: ${flaw?.kind}`;
      if (lost > 0) assert.ok(flaw !== undefined, says);
      assert.ok(flaw !== undefined || withheld >= missing.length - lost, says);
      found += missing.length;
    }
  }
  assert.ok(found > NODES, `${found} execs are missing`);
});

/** The reference: each number on its own. */
function missingAt({ execs, reports, start }: Life, asked: Asked) {
  const counts = { holes: 0, losses: 0, withheld: 0 };
  // Losses may be all that is there about a hook.
  const own = [
    ...execs.filter(({ fate }) => fate === 'kept').map(({ wall }) => wall),
    ...reports.filter(({ kind }) => kind === 'withheld').map(({ wall }) => wall),
    ...(start === undefined ? [] : [start.wall]),
  ];
  const all = [...own, ...reports.map(({ wall }) => wall)];
  const isThere =
    all.some((wall) => wall >= asked.since) &&
    (own.length === 0 || own.some((wall) => wall < asked.until));
  for (const cpu of isThere ? [0, 1] : []) {
    const stamped = new Map<number, number>();
    const kept = new Set<number>();
    for (const { seq, wall } of execs.filter((one) => one.cpu === cpu && one.fate === 'kept')) {
      stamped.set(seq, wall);
      kept.add(seq);
    }
    const told = new Map<number, 'losses' | 'withheld'>();
    const late = new Map<number, number>();
    for (const { kind, numbers, wall } of reports.filter((one) => one.cpu === cpu)) {
      for (const number of numbers) told.set(number, kind === 'lost' ? 'losses' : 'withheld');
      (kind === 'lost' ? late : stamped).set(numbers.at(-1) ?? 0, wall);
    }
    const named = [...kept, ...told.keys()];
    const least = start === undefined ? Math.min(...named) : 1;
    for (let number = least; number <= Math.max(0, ...named); number += 1) {
      if (kept.has(number)) continue;
      const before = nearest(stamped, number, -1);
      const behind = nearest(stamped, number, 1) ?? nearest(late, number, 1) ?? 0;
      if (Math.max(before ?? behind, behind) < asked.since) continue;
      if (before !== undefined && Math.min(before, behind) >= asked.until) continue;
      counts[told.get(number) ?? 'holes'] += 1;
    }
  }
  const kind = counts.holes > 0 ? 'holes' : counts.losses > 0 ? 'losses' : undefined;
  return { kind, records: kind === undefined ? 0 : counts[kind], withheld: counts.withheld };
}

/** Returns the stamp of a number, or of the next one in a direction that has one. */
function nearest(stamps: ReadonlyMap<number, number>, number: number, step: 1 | -1) {
  for (let at = number; at > 0 && at < 1000; at += step) {
    const stamp = stamps.get(at);
    if (stamp !== undefined) return stamp;
  }
  return undefined;
}

function countsOf(state: NodeState | undefined) {
  const { flaw, withheld = 0 } = state ?? {};
  const isCounted = flaw?.kind === 'holes' || flaw?.kind === 'losses';
  return {
    kind: isCounted ? flaw.kind : undefined,
    records: isCounted ? (flaw.records ?? 0) : 0,
    withheld,
  };
}

async function statesOf(
  lives: readonly Life[],
  { since, until }: Asked,
): Promise<Map<string, NodeState>> {
  const connection = await tableOf(lives);
  const asked = { since: BigInt(since) * NANOSECONDS, until: BigInt(until) * NANOSECONDS };
  const facts = await nodeFactsIn(
    {
      records: 'journal',
      condition: 'true',
      rows: async (sql) => (await connection.runAndReadAll(sql)).getRows(),
      isExported: () => true,
    },
    asked,
  );
  return new Map(facts.map((one) => [one.node, stateOf(one, asked)]));
}

const connections = new Map<readonly Life[], ReturnType<typeof filled>>();

function tableOf(lives: readonly Life[]) {
  const known = connections.get(lives) ?? filled(lives);
  connections.set(lives, known);
  return known;
}

/** Returns a connection to a table with the columns that say how complete records are. */
async function filled(lives: readonly Life[]) {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const types: Readonly<Record<string, string>> = {
    timestamp: 'BIGINT',
    cpu: 'BIGINT',
    seq: 'BIGINT',
    hook_next_seq: 'BIGINT[]',
    loss_cpu: 'BIGINT',
    loss_first_seq: 'BIGINT',
    loss_last_seq: 'BIGINT',
    withheld_cpu: 'BIGINT',
    withheld_ranges: 'VARCHAR[]',
  };
  const columns = NUMBERS.map((name) => `"${name}" ${types[name] ?? 'VARCHAR'}`);
  await connection.run(`CREATE TABLE journal ("row" BIGINT, ${columns.join(', ')})`);
  const rows = lives
    .flatMap(({ records }) => records)
    .map((record, row) => {
      const { attributes, resource, timestamp, action } = record;
      const of = (name: string) => attributes[`vcml.${name.replace('_', '.')}`];
      const values = NUMBERS.map((name) => {
        if (name === 'timestamp') return `${timestamp}`;
        if (name === 'node') return `'${resource['host.name']}'`;
        if (name === 'action') return `'${action}'`;
        if (name === 'format_version') return `'2'`;
        return literalOf(of(name) ?? attributes[`vcml.${name}`]);
      });
      return `(${row}, ${values.join(', ')})`;
    });
  await connection.run(`INSERT INTO journal VALUES ${rows.join(', ')}`);
  return connection;
}

function literalOf(value: unknown): string {
  if (value === undefined) return 'NULL';
  if (Array.isArray(value)) return `[${value.map(literalOf).join(', ')}]`;
  return typeof value === 'number' ? `${value}` : `'${value}'`;
}

function isIn(wall: number, { since, until }: Asked): boolean {
  return wall >= since && wall < until;
}

function leastOf({ execs, reports }: Life): number {
  return Math.min(
    ...execs.filter(({ fate }) => fate === 'kept').map(({ seq }) => seq),
    ...reports.flatMap(({ numbers }) => numbers),
  );
}
