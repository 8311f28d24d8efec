// Prints where the main thread of an agent spends its time, by part of the code and by function:
// node bench/agent/profile.ts FILE [RECORDS]. FILE is a .cpuprofile that Node has written (--cpu-prof),
// and RECORDS how many records the agent made meanwhile; docs/performance.md has an example.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../../test/support/paths.ts';
import { decimal, table } from '../table.ts';

const FUNCTIONS_MAX = 60;
/** What V8 calls the time in which the thread waits. */
const IDLE = new Set(['(idle)', '(program)']);

/** The parts of a profile that are read; times are in microseconds. */
interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const [file, records = '0'] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: node bench/agent/profile.ts FILE [RECORDS]');
const { nodes, samples, timeDeltas }: Profile = JSON.parse(readFileSync(file, 'utf8'));
const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
const byFile = new Map<string, number>();
const byFunction = new Map<string, number>();
let busy = 0;
for (const [index, id] of samples.entries()) {
  const { functionName = '', url = '', lineNumber = 0 } = frames.get(id) ?? {};
  if (IDLE.has(functionName)) continue;
  const micros = timeDeltas[index] ?? 0;
  const place = placeOf(functionName, url);
  busy += micros;
  add(byFile, place, micros);
  add(byFunction, `${functionName || '(anonymous)'} ${place}:${lineNumber + 1}`, micros);
}
process.stdout.write(`busy for ${decimal(busy / 1000, 0)} ms\n\n`);
process.stdout.write(`${tableOf('file', byFile)}\n\n${tableOf('function', byFunction)}\n`);

function placeOf(functionName: string, url: string): string {
  if (url.startsWith('file:')) return relative(ROOT, fileURLToPath(url));
  return url || functionName;
}

function add(sums: Map<string, number>, key: string, micros: number): void {
  sums.set(key, (sums.get(key) ?? 0) + micros);
}

function tableOf(what: string, sums: ReadonlyMap<string, number>): string {
  const sorted = [...sums].sort(([, a], [, b]) => b - a).slice(0, FUNCTIONS_MAX);
  const count = Number(records);
  return table([
    [what, '%', 'µs a record'],
    ...sorted.map(([name, micros]) => [
      name,
      decimal((100 * micros) / busy),
      count > 0 ? decimal(micros / count, 2) : '–',
    ]),
  ]);
}
