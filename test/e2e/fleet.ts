import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClickHouse, createCluster } from '../support/clickhouse/clickhouse.ts';
import { usersConfig } from '../support/clickhouse/server-config.ts';
import { freePort } from '../support/free-ports.ts';
import { type CleanUp, temporaryFolder } from '../support/temporary-folder.ts';
import { eventually } from './eventually.ts';
import { startPipeline } from './export/pipeline.ts';
import { DIR, OUTSIDE_ADDRESS } from './place.ts';

/**
 * Starts a ClickHouse with the users that the only block of SQL of a page creates, and has it read these
 * statements.
 */
export async function startWithUsers(t: CleanUp, page: string): Promise<ClickHouse> {
  const [server] = await createCluster(t, 1);
  if (server === undefined) throw new Error('there is no server');
  const statements = /^```sql\n(.*?)^```/ms.exec(page)?.[1]?.trim().split(/;\s*/) ?? [];
  const created = statements.flatMap((statement) => {
    const { groups } = CREATE.exec(statement) ?? {};
    return groups === undefined ? [] : [groups];
  });
  const granted = statements.map((statement) => /^GRANT (.*) TO (\w+)$/.exec(statement) ?? []);
  const users = created.map(({ name = '', password = '', readonly = '0' }) => ({
    name,
    password,
    readonly,
    grants: granted.flatMap(([, what = '', to]) => (to === name ? [what] : [])),
  }));
  writeFileSync(join(server.place.folder, 'users.xml'), usersConfig(users));
  await server.start();
  for (const statement of statements) if (statement) await server.query(`EXPLAIN AST ${statement}`);
  return server;
}

const CREATE =
  /^CREATE USER (?<name>\w+) IDENTIFIED BY '(?<password>[^']+)'( SETTINGS readonly = (?<readonly>\d))?$/;

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
