import type { Stored } from './stored.ts';

/** Makes a table with the columns of the Collector's exporter that matter here; returns its address. */
export async function createAuditTable(store: Stored): Promise<string> {
  await store.query('CREATE DATABASE audit');
  await store.query(
    `CREATE TABLE audit.kubernetes_audit (Timestamp DateTime64(9), Body String)
     ENGINE = MergeTree PARTITION BY toDate(Timestamp) ORDER BY Timestamp`,
  );
  return `${store.address.replace('/vcml', '/audit')}?table=kubernetes_audit`;
}

/** Adds the lines of a log to the table, at a time in milliseconds. */
export async function addAuditRows(
  store: Stored,
  lines: readonly string[],
  ms: number,
): Promise<void> {
  const rows = lines.map((Body) => JSON.stringify({ Timestamp: `${ms / 1000}`, Body }));
  await store.query(`INSERT INTO audit.kubernetes_audit FORMAT JSONEachRow\n${rows.join('\n')}`);
}
