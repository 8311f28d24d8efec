import { EXIT, ForensicsError } from '../errors.ts';
import { remark } from '../output/stderr.ts';
import { flush, print } from '../output/stdout.ts';
import { parseAddress } from '../store/address.ts';
import { hasKeeper, missingServers } from '../store/cluster.ts';
import { type ConnectionOptions, connect, type Store } from '../store/connect.ts';
import { initStore } from '../store/init.ts';
import { ddl } from '../store/schema/ddl.ts';

/** The options of `vcml store`. */
export interface StoreOptions extends ConnectionOptions {
  readonly cluster?: string;
  readonly replicated?: boolean;
  /** how many days `records` keeps a record */
  readonly keepDays: number;
}

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
  await using connection = connect(address, options);
  const layout = layoutOf(options, connection.address.database, await hasKeeper(connection));
  const done = await initStore(connection, layout);
  for (const sentence of done) await print(`${sentence}\n`);
  if (done.length === 0) await print('the store is up to date\n');
  return layout.cluster === undefined ? 0 : await others(connection, layout.cluster);
}

/** Without a Keeper, each server of a cluster has to be asked by itself. */
async function others(connection: Store, cluster: string): Promise<number> {
  const missing = await missingServers(connection, cluster);
  if (missing === 0) return 0;
  remark(
    `the schema is missing on ${missing} of the servers of cluster ${cluster}: there is no Keeper, so run vcml store init for each of them`,
  );
  return EXIT.partial;
}

function layoutOf(options: StoreOptions, database: string, everywhere: boolean) {
  const { cluster, replicated = false, keepDays } = options;
  if (keepDays < 1 || keepDays > KEEP_DAYS_MAX)
    throw new ForensicsError('usage', `--keep-days is from 1 to ${KEEP_DAYS_MAX}`);
  return { database, cluster, replicated, everywhere, days: keepDays };
}
