import type { Store } from './connect.ts';
import { VERSION_VIEW } from './schema/version.ts';

/** Returns whether a server can run statements on a whole cluster. */
export async function hasKeeper(store: Store): Promise<boolean> {
  const found = await store.rows(
    "SELECT 1 FROM system.tables WHERE database = 'system' AND name = 'zookeeper'",
  );
  return found.length > 0;
}

/** Returns how many servers of a cluster do not have the store's schema. */
export async function missingServers(store: Store, cluster: string): Promise<number> {
  const parameters = { cluster, database: store.address.database, view: VERSION_VIEW };
  const [found] = await store.rows<{ missing: string }>(
    `SELECT toInt32((SELECT count() FROM system.clusters WHERE cluster = {cluster:String})) -
       toInt32(count()) AS missing
     FROM clusterAllReplicas({cluster:Identifier}, system.tables)
     WHERE database = {database:String} AND name = {view:String}`,
    parameters,
  );
  return Number(found?.missing);
}
