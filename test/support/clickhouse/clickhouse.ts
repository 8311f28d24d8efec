import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../free-ports.ts';
import { ROOT } from '../paths.ts';
import { type CleanUp, temporaryFolder } from '../temporary-folder.ts';
import { until } from '../until.ts';
import { type Place, serverConfig, usersConfig } from './server-config.ts';

/** The program that make builds from server.c. */
const SERVER = join(ROOT, 'build/clickhouse/server');
/** It listens, and waits for two weeks. */
const SERVE = `SYSTEM START LISTEN TCP; SYSTEM START LISTEN HTTP;
SELECT sleepEachRow(1) FROM numbers(1000000)
  SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0 FORMAT Null`;

/** The reason to skip a test, for node:test; false if there is a ClickHouse. */
export const NO_CLICKHOUSE = existsSync(SERVER)
  ? false
  : 'there is no build/clickhouse/server: make builds it, on x86-64 only';

/** A real ClickHouse with its HTTP and native listeners on ports that it keeps. */
export interface ClickHouse {
  readonly place: Place;
  /** of its process */
  readonly pid: number;
  /** Runs one statement and returns its rows. */
  query<Row = Record<string, unknown>>(
    statement: string,
    parameters?: Readonly<Record<string, string>>,
  ): Promise<Row[]>;
  /** Starts it, with the data that an earlier run left. */
  start(): Promise<void>;
  /** Kills it like a crash; what was inserted stays in its folder. */
  kill(): Promise<void>;
}

/** Starts a ClickHouse. */
export async function startClickHouse(t: CleanUp): Promise<ClickHouse> {
  const [server] = await startCluster(t, 1);
  if (server === undefined) throw new Error('there is no server');
  return server;
}

/** Starts servers that are the shards of one cluster; `kept` is a folder that stays, with what they have. */
export async function startCluster(
  t: CleanUp,
  count: number,
  kept?: string,
): Promise<ClickHouse[]> {
  const servers = await createCluster(t, count, kept);
  await Promise.all(servers.map((server) => server.start()));
  return servers;
}

/** Prepares such servers, and does not start them. */
export async function createCluster(
  t: CleanUp,
  count: number,
  kept?: string,
): Promise<ClickHouse[]> {
  const ports = await freePorts(2 * count);
  const servers: ClickHouse[] = [];
  // Is registered first, because folders are removed in this order, too.
  t.after(() => Promise.all(servers.map((server) => server.kill())));
  const places = Array.from({ length: count }, (_, index) => ({
    folder: kept === undefined ? temporaryFolder(t) : folderIn(kept, `shard-${index}`),
    http: ports[2 * index] as number,
    native: ports[2 * index + 1] as number,
  }));
  servers.push(...places.map((place) => createServer(place, places)));
  return servers;
}

function folderIn(parent: string, name: string): string {
  const folder = join(parent, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

function createServer(place: Place, cluster: readonly Place[]): ClickHouse {
  const { folder, http } = place;
  const config = join(folder, 'config.xml');
  writeFileSync(config, serverConfig(place, cluster));
  writeFileSync(join(folder, 'users.xml'), usersConfig());
  let kill = async () => {};
  let pid = 0;
  return {
    place,
    get pid() {
      return pid;
    },
    async start() {
      const child = spawn(SERVER, ['-C', config, `--query=${SERVE}`], {
        cwd: folder,
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      pid = child.pid ?? 0;
      const ended = once(child, 'exit');
      kill = async () => {
        child.kill('SIGKILL');
        await ended;
      };
      await until('ClickHouse answers', async () => {
        if (child.exitCode !== null) throw new Error('ClickHouse does not start');
        return answers(http);
      });
    },
    query: (statement, parameters = {}) => query(http, statement, parameters),
    kill: () => kill(),
  };
}

async function answers(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/ping`)).ok;
  } catch {
    return false;
  }
}

async function query<Row>(
  port: number,
  statement: string,
  parameters: Readonly<Record<string, string>>,
): Promise<Row[]> {
  const named = Object.entries(parameters).map(([name, value]) => [
    `param_${name}`,
    value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t'),
  ]);
  const options = new URLSearchParams([['default_format', 'JSONEachRow'], ...named]);
  const answer = await fetch(`http://127.0.0.1:${port}/?${options}`, {
    method: 'POST',
    body: statement,
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Row]));
}
