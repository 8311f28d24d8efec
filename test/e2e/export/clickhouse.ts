import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

const PYTHON = 'build/chdb/bin/python';
const SERVER = join(import.meta.dirname, 'clickhouse.py');

/** Installs the Python package with the ClickHouse engine, about 900 MB, in its own folder. */
export function installEngine(): void {
  if (existsSync('build/chdb/installed')) return;
  execFileSync('python3', ['-m', 'venv', 'build/chdb']);
  execFileSync(PYTHON, ['-m', 'pip', 'install', '--quiet', 'chdb==4.4.0']);
  execFileSync('touch', ['build/chdb/installed']);
}

/** The engine behind ClickHouse's HTTP interface. */
export interface ClickHouse {
  /** Runs one statement and returns its rows. */
  query<T = unknown>(
    statement: string,
    parameters?: Readonly<Record<string, string>>,
  ): Promise<T[]>;
  /** Kills it like a crash; its folder keeps what was inserted. */
  kill(): Promise<void>;
}

/** Starts it on a port, with the data that an earlier run left in a folder. */
export async function startClickHouse(
  t: TestContext,
  folder: string,
  port: number,
): Promise<ClickHouse> {
  const child = spawn(PYTHON, [SERVER, `${port}`, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  async function kill(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
  t.after(kill);
  const ready = once(child.stdout, 'data');
  const exit = once(child, 'exit').then(() => {
    throw new Error('ClickHouse does not start');
  });
  exit.catch(() => {});
  await Promise.race([ready, exit]);
  return {
    async query<T>(statement: string, parameters: Readonly<Record<string, string>> = {}) {
      const named = Object.entries(parameters).map(([name, value]) => [`param_${name}`, value]);
      const options = new URLSearchParams([['default_format', 'JSONEachRow'], ...named]);
      const url = `http://127.0.0.1:${port}/?${options}`;
      const answer = await fetch(url, { method: 'POST', body: statement });
      const text = await answer.text();
      if (!answer.ok) throw new Error(text);
      return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as T]));
    },
    kill,
  };
}
