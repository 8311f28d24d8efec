import { childCounts } from '../../forensics/serve/memory/store-pages.ts';
import { linksAt, rowsFor } from '../../forensics/store/answer/fetch.ts';
import type { Question } from '../../forensics/store/answer/question.ts';
import { storeCompleteness } from '../../forensics/store/arrivals/completeness.ts';
import { connect, type Store } from '../../forensics/store/connect.ts';
import { type Stored, startStore } from '../../test/support/clickhouse/stored.ts';
import { vcml } from '../../test/support/forensics.ts';
import type { Bed } from '../bed/bed.ts';
import type { Figure } from '../budgets.ts';
import { spreadOf } from '../statistics.ts';
import { spreadText } from '../table.ts';

const MILLION = 1_000_000;
const NODES = 20;
const ROUNDS = 5;
/** Chains have as many levels. */
const LEVELS = 15;
/** One record in so many of a node has many effects. */
const PARENT_EVERY = 100_000;
const EFFECTS = 500;
/** One record in so many executes what nothing else does. */
const RARE_EVERY = 999_983;
/** The records are those of a day. */
const DAY_NS = 86_400_000_000_000n;
const BEGAN_NS = 1_795_392_000_000_000_000n;
const BEGAN = '2026-11-23T00:00:00Z';
const ALL: Question = { since: BEGAN };

/** Measures questions to a store on two shards of this machine, with generated records. */
export async function measureStore(bed: Bed, report: (text: string) => void): Promise<Figure[]> {
  const after: (() => unknown)[] = [];
  bed.cleanup.add(async () => {
    for (const task of after) await task();
  });
  const stored = await startStore({ after: (task) => after.push(task) }, bed.storeFolder);
  const records = bed.storeMillions * MILLION;
  if ((await countIn(stored)) !== records) {
    await stored.clear();
    for (let from = 0; from < records; from += MILLION) {
      report(`store: ${from / MILLION} of ${bed.storeMillions} million records`);
      await fill(stored, from, records);
    }
    await stored.merge();
  }
  await using store = connect(stored.address, {});
  const figures = await questions(stored, store, records, report);
  return figures.map((figure) => ({
    ...figure,
    what: `store of ${bed.storeMillions} million records: ${figure.what}`,
  }));
}

async function questions(
  stored: Stored,
  store: Store,
  records: number,
  report: (text: string) => void,
): Promise<Figure[]> {
  const middle = NODES * (PARENT_EVERY * Math.floor(records / NODES / PARENT_EVERY / 2));
  const half = middle / NODES + PARENT_EVERY / 2;
  const deepest = await idOf(stored, NODES * (half - (half % LEVELS) + LEVELS - 1));
  const parent = await idOf(stored, middle);
  const root = await idOf(stored, NODES * (half - (half % LEVELS)));
  const node = `node-${middle % NODES}`;
  const parents = await linksAt(
    store,
    `node = '${node}' AND timestamp < ${BEGAN_NS + DAY_NS / 2n}`,
    500,
  );
  const hour = ['--since', '2026-11-23T12:00:00Z'];
  const ask = (question: Question) => async () => {
    let found = 0;
    for await (const rows of rowsFor(store, question, Date.now())) found += rows.length;
    return `${found} records`;
  };
  const run = (command: string) => async () => {
    const { code, stderr } = await vcml(command, ...hour, '--output', 'jsonl', stored.address);
    // The ids of generated records are not those of their processes, which an audit finds.
    if (code !== (command === 'audit' ? 1 : 0)) throw new Error(`vcml ${command}: ${stderr}`);
    return 'the whole command, over half a day';
  };
  const measures: [string, number | undefined, () => Promise<string>][] = [
    ['a record by its id, its node known', 30, ask({ id: root, node })],
    ['a record by its id, nothing else known', 300, ask({ id: root })],
    [
      'how many effects each of 500 records has',
      200,
      async () => `${sum(await childCounts(store, parents))} effects`,
    ],
    [`a chain of ${LEVELS} records, its node known`, 300, ask({ id: deepest, node })],
    [`a chain of ${LEVELS} records, nothing else known`, undefined, ask({ id: deepest })],
    [`a record and its ${EFFECTS} effects`, undefined, ask({ id: parent, node, effects: true })],
    ['one executable everywhere', 200, ask({ ...ALL, exe: '/usr/bin/rare' })],
    [
      'how complete everything is',
      50,
      () => storeCompleteness(store, undefined, { since: undefined, until: undefined }),
    ],
    ['vcml gaps', undefined, run('gaps')],
    ['vcml stats', undefined, run('stats')],
    ['vcml audit', undefined, run('audit')],
  ];
  const figures: Figure[] = [];
  for (const [what, budget, measure] of measures) {
    report(`store: ${what}`);
    const times: number[] = [];
    let more = await measure();
    for (let round = 0; round < ROUNDS; round += 1) {
      const began = performance.now();
      more = await measure();
      times.push(performance.now() - began);
    }
    const spread = spreadOf(times);
    report(`store: ${what}: ${spread.median.toFixed(0)} ms`);
    figures.push({
      what,
      value: spread.median,
      unit: 'ms',
      digits: 0,
      ...(budget === undefined ? {} : { budget }),
      more: `${spreadText(spread, 0)}; ${more}`,
    });
  }
  return figures;
}

async function countIn({ query }: Stored): Promise<number> {
  const [row] = await query<{ count: string }>(
    'SELECT toString(count()) AS count FROM vcml.records',
  );
  return Number(row?.count);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

async function idOf({ query }: Stored, n: number): Promise<string> {
  const [row] = await query<{ id: string }>(`SELECT toString(${idSql(`${n}`)}) AS id`);
  return row?.id ?? '';
}

/** Inserts a million records; each node has every twentieth. */
async function fill({ query }: Stored, from: number, records: number): Promise<void> {
  const step = DAY_NS / BigInt(records);
  const parent = `multiIf(k % ${PARENT_EVERY} BETWEEN 1 AND ${EFFECTS}, n - ${NODES} * (k % ${PARENT_EVERY}),
    k % ${LEVELS} = 0, NULL, n - ${NODES})`;
  const resource = `concat('{"host.name":"', node, '","k8s.pod.name":"', pod, '"}')`;
  await query(
    `INSERT INTO vcml.records (id, timestamp, pid, ppid, uid, gid, comm, action, object, permitted_by,
       parent_cause, boot_id, boot_offset, hook_id, cpu, seq, executable, executable_name, args, node, host,
       namespace, pod, image, resource_json, content, version)
     SETTINGS distributed_foreground_insert = 1
     SELECT ${idSql('n')}, ${BEGAN_NS} + n * ${step}, n % 32768, 1, 0, 0, 'worker', 'exec', path,
       if(isNull(cause), 'unobserved_parent', 'parent_process_context'),
       if(isNull(cause), NULL, ${idSql('cause')}),
       reinterpretAsUUID(sipHash128(node)), ${BEGAN_NS}, '1', k % 2, intDiv(k, 2) + 1, path, 'worker',
       [path, '--queue', toString(k % 1000)], node, node, 'shop', pod, 'registry.example/cart',
       ${resource}, 0, ${records} - n
     FROM (
       SELECT number + ${from} AS n, intDiv(n, ${NODES}) AS k, concat('node-', toString(n % ${NODES})) AS node,
         concat('cart-', toString(k % 100)) AS pod, ${parent} AS cause,
         if(n % ${RARE_EVERY} = 7, '/usr/bin/rare', concat('/usr/bin/', toString(k % 50))) AS path
       FROM numbers(${MILLION}))`,
  );
}

function idSql(n: string): string {
  return `reinterpretAsUUID(sipHash128(toUInt64(assumeNotNull(${n}))))`;
}
