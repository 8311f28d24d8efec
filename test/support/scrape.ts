import { equal, ok } from 'node:assert/strict';
import type { Agent } from './agent.ts';
import { until } from './until.ts';

const SAMPLE = /^(?<name>[a-z_]+(?:\{.*\})?) (?<value>\S+)$/;

/** What there is in the text format: value by name and labels; every line is one, or a comment. */
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

/** The URL of a path of a running agent's telemetry. */
export async function urlOf(agent: Agent, path: string): Promise<string> {
  const address = await until('an address', () => {
    return [...agent.stderr.matchAll(/"address":"([^"]+)","msg":"telemetry: listening"/g)].at(-1);
  });
  return `http://${address[1]}${path}`;
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
