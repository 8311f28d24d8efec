/**
 * `make simulation`: simulates SEEDS seeds from SEED on, and prints what they find. With SEEDS=1, it
 * replays one.
 */

import { inspect } from 'node:util';
import './world/redirect.ts';
import { Killed } from './world/life.ts';

const { simulate } = await import('./simulate.ts');
const first = Number(process.env.SEED ?? 1);
const seeds = Number(process.env.SEEDS ?? 200);
const SHOWN = 10;
let failing = 0;

/** what would have ended an agent */
const rejections: string[] = [];
process.on('unhandledRejection', (reason) => {
  if (!(reason instanceof Killed)) rejections.push(`nobody awaits what fails: ${inspect(reason)}`);
});
for (let seed = first; seed < first + seeds; seed++) {
  const { steps, lines, hash, ...found } = await simulate(seed, process.env.KEEP === '1');
  const findings = [...found.findings, ...rejections.splice(0)];
  if (seeds === 1) console.log(`seed ${seed}: ${steps} steps, ${lines} lines, ${hash}`);
  for (const finding of findings.slice(0, SHOWN)) console.log(`seed ${seed}: ${finding}`);
  if (findings.length > 0) failing += 1;
  if (failing > 0 && process.env.SIMULATION_MUTANT !== undefined) break;
}
console.log(`${seeds} seeds, ${failing} with findings`);
process.exitCode = Math.min(failing, 1);
