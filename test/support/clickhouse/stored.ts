import { equal } from 'node:assert/strict';
import { after, before, beforeEach } from 'node:test';
import { vcml } from '../forensics.ts';
import type { CleanUp } from '../temporary-folder.ts';
import { type ClickHouse, NO_CLICKHOUSE, startCluster } from './clickhouse.ts';
import { exporterRow } from './exporter-row.ts';
import { CLUSTER } from './server-config.ts';

/** Rows of tests may be older than any store keeps them by default. */
const KEPT = ['--keep-days', '20000'];

/** A store on two shards. */
export interface Stored {
  readonly servers: readonly ClickHouse[];
  /** as `vcml` names it */
  readonly address: string;
  /** Inserts lines as the Collector's exporter does, in one request. */
  insert(lines: readonly string[]): Promise<void>;
  /** Runs a query on the first server. */
  query: ClickHouse['query'];
  /** Removes all rows. */
  clear(): Promise<void>;
  /** Merges everything that can be merged. */
  merge(): Promise<void>;
}

/** Starts two servers, and makes a store on them; `kept` is a folder that stays, with what they have. */
export async function startStore(t: CleanUp, kept?: string): Promise<Stored> {
  const servers = await startCluster(t, 2, kept);
  for (const server of servers) await initStore(server);
  const [first] = servers;
  if (first === undefined) throw new Error('there is no server');
  const onEach = async (statement: (table: string) => string) => {
    for (const server of servers)
      for (const table of ['records', 'journal', 'coverage', 'first_seen'])
        await server.query(statement(`vcml.${table}_local`));
  };
  return {
    servers,
    address: addressOf(first),
    async insert(lines) {
      const rows = lines.map((line) => JSON.stringify(exporterRow(line)));
      await first.query(
        `INSERT INTO vcml.otel SETTINGS distributed_foreground_insert = 1, date_time_input_format = 'best_effort'
         FORMAT JSONEachRow\n${rows.join('\n')}`,
      );
    },
    query: first.query,
    clear: () => onEach((table) => `TRUNCATE TABLE ${table}`),
    merge: () => onEach((table) => `OPTIMIZE TABLE ${table} FINAL`),
  };
}

/** Starts a store that all tests of a file share, one after the other; the result returns it, empty. */
export function sharedStore(): () => Stored {
  const cleanUps: (() => unknown)[] = [];
  let stored: Stored | undefined;
  before(async () => {
    if (!NO_CLICKHOUSE) stored = await startStore({ after: (cleanUp) => cleanUps.push(cleanUp) });
  });
  beforeEach(() => stored?.clear());
  after(async () => {
    for (const cleanUp of cleanUps) await cleanUp();
  });
  return () => {
    if (stored === undefined) throw new Error('there is no store');
    return stored;
  };
}

/** Makes a store on a server of a cluster whose other servers may follow. */
export async function initStore(server: ClickHouse): Promise<void> {
  const { code, stderr } = await vcml(
    'store',
    'init',
    addressOf(server),
    '--cluster',
    CLUSTER,
    ...KEPT,
  );
  equal(code === 0 || /the schema is missing on/.test(stderr), true, stderr);
}

/** Returns the address of the store on a server. */
export function addressOf({ place }: ClickHouse, user = 'default'): string {
  return `clickhouse://${user}@127.0.0.1:${place.http}/vcml`;
}
