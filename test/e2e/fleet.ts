import { join } from 'node:path';
import type { ClickHouse } from '../support/clickhouse/clickhouse.ts';
import { freePort } from '../support/free-ports.ts';
import { type CleanUp, temporaryFolder } from '../support/temporary-folder.ts';
import { eventually } from './eventually.ts';
import { startPipeline } from './export/pipeline.ts';
import { DIR, OUTSIDE_ADDRESS } from './place.ts';

/** Runs the statements in the only block of SQL of a page. */
export async function createUsers(server: ClickHouse, page: string): Promise<void> {
  const [, block = ''] = /^```sql\n(.*?)^```/ms.exec(page) ?? [];
  for (const statement of block.split(/;\n/)) if (statement.trim()) await server.query(statement);
}

/** Returns the password that such a page gives to a user. */
export function passwordOf(user: string, page: string): string {
  const [, password] = new RegExp(`CREATE USER ${user} IDENTIFIED BY '([^']+)'`).exec(page) ?? [];
  if (password === undefined) throw new Error(`the page creates no user ${user}`);
  return password;
}

/**
 * Starts two Collectors outside of the cluster, which fill the store as `vcml_writer`: one receives
 * records at the returned ADDRESS:PORT, one reads the API server's audit log.
 */
export async function startCollectors(
  t: CleanUp,
  { place }: ClickHouse,
  password: string,
): Promise<string> {
  const receiver = `${OUTSIDE_ADDRESS}:${await freePort()}`;
  const queues = temporaryFolder(t);
  const writer = {
    CLICKHOUSE: `clickhouse://127.0.0.1:${place.native}`,
    CLICKHOUSE_USER: 'vcml_writer',
    CLICKHOUSE_PASSWORD: password,
  };
  await startPipeline(t, ['clickhouse'], {
    ...writer,
    OTLP_LISTEN: receiver,
    QUEUE_DIR: join(queues, 'records'),
  });
  await startPipeline(t, ['kubernetes-audit'], {
    ...writer,
    AUDIT_LOG: `${DIR}/log/audit.log`,
    QUEUE_DIR: join(queues, 'audit'),
  });
  return receiver;
}

/** Waits until a query for one number returns at least this one. */
export async function reaches(
  server: ClickHouse,
  what: string,
  sql: string,
  number: number,
): Promise<void> {
  await eventually(`${what} in the store`, async () => {
    const [row] = await server.query<{ found: string }>(`SELECT toString(${sql}) AS found`);
    if (Number(row?.found) >= number) return true;
    throw new Error(`${row?.found} of ${number}`);
  });
}
