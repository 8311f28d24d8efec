import { equal, match, rejects } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from '../../../../forensics/store/connect.ts';
import { NO_CLICKHOUSE } from '../../../support/clickhouse/clickhouse.ts';
import { CUT } from '../../../support/clickhouse/server-config.ts';
import { type Stored, startStore } from '../../../support/clickhouse/stored.ts';
import { vcml } from '../../../support/forensics.ts';
import { VCML_BIN } from '../../../support/paths.ts';

const options = { skip: NO_CLICKHOUSE };
const ARGS = ['gaps', '--since', '1h'];

test('Ctrl-C ends a query on the server, too', options, async (t) => {
  const store = await startStore(t);
  await makeSlow(store, 100);
  const asking = spawn(VCML_BIN, [...ARGS, store.address], { stdio: 'ignore' });
  const ended = once(asking, 'exit');
  while ((await running(store)) === 0) await pause(50);
  asking.kill('SIGINT');
  await ended;
  for (let tries = 0; (await running(store)) > 0; tries += 1) {
    equal(tries < 200, true, 'the query is still running');
    await pause(50);
  }
});

test('a user who may change no settings has those of the server', options, async (t) => {
  const store = await startStore(t);
  equal((await vcml(...ARGS, store.address.replace('default@', 'hasty@'))).code, 0);
});

test('a user whose answers the server may cut is refused with a remedy', options, async (t) => {
  const store = await startStore(t);
  for (const { name } of CUT) {
    const { code, stderr } = await vcml(...ARGS, store.address.replace('default@', `${name}@`));
    equal(code, 2, `${name}: ${stderr}`);
    match(stderr, /may leave rows out of an answer .*: take .* from the profile of the user cut_/);
  }
});

test('a query beyond a limit of the server is refused with a remedy', options, async (t) => {
  const store = await startStore(t);
  await makeSlow(store, 20);
  const { code, stderr } = await vcml(...ARGS, store.address.replace('default@', 'hasty@'));
  equal(code, 2);
  match(stderr, /within its limits: name a shorter time with --since and --until/);
});

test('a server that accepts and never answers is given up, at once if nobody waits', async (t) => {
  const server = createServer();
  t.after(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = `clickhouse://default@127.0.0.1:${(server.address() as AddressInfo).port}/vcml`;
  await using store = connect(address, {}, 0.1);
  await rejects(store.rows('SELECT 1'), /did not answer: name a shorter time/);
  const ending = new AbortController();
  await using other = connect(address, { signal: ending.signal });
  const asking = rejects(other.text('SELECT 1', 'JSONEachRow'));
  await once(server, 'connection');
  ending.abort();
  await asking;
});

/** Makes the first question of each command take so many seconds. */
async function makeSlow(store: Stored, seconds: number): Promise<void> {
  await store.query(
    `CREATE OR REPLACE VIEW vcml.schema AS SELECT toUInt8(max(number)) AS version, 'slow' AS fingerprint, 'slow' AS layout
     FROM numbers(${seconds}) WHERE sleepEachRow(1) = 0 SETTINGS max_block_size = 1`,
  );
}

async function running({ query }: Stored): Promise<number> {
  const [row] = await query<{ count: string }>(
    "SELECT toString(count()) AS count FROM system.processes WHERE http_user_agent LIKE '%vcml%'",
  );
  return Number(row?.count);
}
