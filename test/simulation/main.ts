/**
 * `make simulation`: simulates SEEDS seeds from SEED on, and prints what they find. With SEEDS=1, it
 * replays one.
 */

import './world/redirect.ts';

const { simulate } = await import('./simulate.ts');
const first = Number(process.env.SEED ?? 1);
const seeds = Number(process.env.SEEDS ?? 200);
const SHOWN = 10;
let failing = 0;

process.on('unhandledRejection', () => {});
for (let seed = first; seed < first + seeds; seed++) {
  const { findings, steps, lines, hash } = await simulate(seed, process.env.KEEP === '1');
  if (seeds === 1) console.log(`seed ${seed}: ${steps} steps, ${lines} lines, ${hash}`);
  for (const finding of findings.slice(0, SHOWN)) console.log(`seed ${seed}: ${finding}`);
  if (findings.length > 0) failing += 1;
  if (failing > 0 && process.env.SIMULATION_MUTANT !== undefined) break;
}
console.log(`${seeds} seeds, ${failing} with findings`);
process.exitCode = Math.min(failing, 1);
