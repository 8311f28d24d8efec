import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';

/** Describes the machine on which the figures are measured. */
export function machine(): string {
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const model = cpus()[0]?.model ?? 'unknown';
  const { PRETTY_NAME: system } = osRelease();
  const [load] = loadavg();
  return [
    new Date().toISOString(),
    `Linux ${release()}`,
    `${system}`,
    `${availableParallelism()} CPUs (${model})`,
    memory,
    `load ${load?.toFixed(2)} before`,
  ].join(', ');
}

function osRelease(): Record<string, string> {
  const lines = readFileSync('/etc/os-release', 'utf8').matchAll(/^(\w+)="?([^"\n]*)/gm);
  return Object.fromEntries(Array.from(lines, ([, key, value]) => [key, value]));
}
