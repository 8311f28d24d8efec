import { equal, ok } from 'node:assert/strict';
import type { Agent } from './agent.ts';
import { until } from './until.ts';

const SAMPLE = /^(?<name>[a-z_]+(?:\{.*\})?) (?<value>\S+)$/;

/** Parses the text format: values by name and labels; every line must be a value or a comment. */
export function samplesOf(text: string): ReadonlyMap<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || /^# (HELP|TYPE) [a-z_]+ ./.test(line)) continue;
    const { name = '', value } = SAMPLE.exec(line)?.groups ?? {};
    ok(Number.isFinite(Number(value)), line);
    equal(samples.has(name), false, line);
    samples.set(name, Number(value));
  }
  return samples;
}

/** The URL of a path where a running agent serves metrics and health, or (`probes`) health alone. */
export async function urlOf(agent: Agent, path: string, { probes = false } = {}): Promise<string> {
  const address = await until('an address', () =>
    agent.stderr
      .split('\n')
      .filter((line) => line.includes('"telemetry.listening"'))
      .map((line) => JSON.parse(line) as { address: string; paths: readonly string[] })
      .findLast(({ paths }) => paths.includes('/metrics') !== probes),
  );
  return `http://${address.address}${path}`;
}

/** All metrics of a running agent. */
export async function scrape(agent: Agent): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(await urlOf(agent, '/metrics'));
  equal(response.status, 200);
  return samplesOf(await response.text());
}

/** The sum of all of one metric's samples. */
export function sumOf(samples: ReadonlyMap<string, number>, name: string): number {
  let sum = 0;
  for (const [key, value] of samples) if (key.replace(/\{.*/, '') === name) sum += value;
  return sum;
}
