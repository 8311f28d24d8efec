import { EXIT, ForensicsError } from '../errors.ts';
import { remark } from '../output/stderr.ts';
import { flush, print } from '../output/stdout.ts';
import { parseAddress } from '../store/address.ts';
import { hasKeeper, missingServers } from '../store/cluster.ts';
import { type ConnectionOptions, connect, type Store } from '../store/connect.ts';
import { initStore } from '../store/init.ts';
import { keptOtherwise } from '../store/keeping.ts';
import { ddl } from '../store/schema/ddl.ts';
import type { Layout } from '../store/schema/statements.ts';

/** The options of `vcml store`. */
export interface StoreOptions extends ConnectionOptions {
  readonly cluster?: string;
  readonly replicated?: boolean;
  /** how many days `records` keeps a record; undefined: as many as it does, or DAYS_NEW */
  readonly keepDays?: number;
  /** Whether records that the store has may be deleted for that. */
  readonly deleteOlder?: boolean;
}

/** How many days a new store keeps records. */
const DAYS_NEW = 30;

/** ClickHouse counts the seconds until a row ends in 32 bits. */
const KEEP_DAYS_MAX = 20_000;

/** Creates or upgrades a store, or prints the statements that make one. */
export async function store(
  what: 'init' | 'ddl',
  address: string | undefined,
  options: StoreOptions,
): Promise<number> {
  try {
    return what === 'ddl' ? await printDdl(address, options) : await init(address, options);
  } finally {
    await flush();
  }
}

async function printDdl(address: string | undefined, options: StoreOptions): Promise<number> {
  const database = address === undefined ? 'vcml' : parseAddress(address).database;
  await print(ddl(layoutOf(options, database, true)));
  return 0;
}

async function init(address: string | undefined, options: StoreOptions): Promise<number> {
  if (address === undefined)
    throw new ForensicsError('usage', 'name the store: clickhouse://USER@HOST:PORT/DATABASE');
  const { keepDays, deleteOlder = false } = options;
  if (deleteOlder && keepDays === undefined)
    throw new ForensicsError('usage', '--delete-older belongs to --keep-days');
  await using connection = connect(address, options);
  const layout = layoutOf(options, connection.address.database, await hasKeeper(connection));
  const done = await initStore(connection, layout, { days: keepDays, mayDelete: deleteOlder });
  for (const sentence of done) await print(`${sentence}\n`);
  if (done.length === 0) await print('the store is up to date\n');
  return layout.cluster === undefined ? 0 : await others(connection, layout, keepDays);
}

/** Without a Keeper, each server of a cluster has to be asked by itself. */
async function others(
  connection: Store,
  layout: Layout,
  keepDays: number | undefined,
): Promise<number> {
  const { cluster = '' } = layout;
  const missing = await missingServers(connection, cluster);
  const otherwise = keepDays === undefined ? 0 : await keptOtherwise(connection, layout, keepDays);
  for (const [what, servers] of [
    ['the schema is missing', missing],
    ['records are kept for another time', otherwise],
  ] as const)
    if (servers > 0)
      remark(
        `${what} on ${servers} of the servers of cluster ${cluster}: there is no Keeper, so run vcml store init for each of them`,
      );
  return missing + otherwise === 0 ? 0 : EXIT.partial;
}

function layoutOf(options: StoreOptions, database: string, everywhere: boolean): Layout {
  const { cluster, replicated = false, keepDays = DAYS_NEW } = options;
  if (keepDays < 1 || keepDays > KEEP_DAYS_MAX)
    throw new ForensicsError('usage', `--keep-days is from 1 to ${KEEP_DAYS_MAX}`);
  return { database, cluster, replicated, everywhere, days: keepDays };
}
