/** `make mutants`: simulates seeds with each planted fault until one finds it, and prints which are found. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { MUTANTS } from './mutants.ts';

const SEEDS = process.env.SEEDS ?? '200';
/** An agent that never gives the control back is found, too. */
const PATIENCE_MS = 1_200_000;
const FOUND_PERCENT = 95;
const chosen = MUTANTS.filter(({ name }) => name.includes(process.env.MUTANT ?? ''));
const missed: string[] = [];

for (const { name, file } of chosen) {
  const { stdout, error, signal } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, '../main.ts')],
    {
      encoding: 'utf8',
      timeout: PATIENCE_MS,
      env: { ...process.env, SEEDS, SIMULATION_MUTANT: name },
    },
  );
  if (error !== undefined && signal === null) throw error;
  const [finding] = stdout.split('\n').filter((line) => /^seed \d+: /.test(line));
  const how = finding?.slice(0, 160) ?? (signal === null ? undefined : 'it does not end');
  if (how === undefined) missed.push(name);
  console.log(
    `${how === undefined ? 'MISSED' : 'found '} ${file}: ${name}${how ? `; ${how}` : ''}`,
  );
}
const found = chosen.length - missed.length;
console.log(`${found} of ${chosen.length} planted faults are found`);
process.exitCode = found * 100 >= FOUND_PERCENT * chosen.length ? 0 : 1;
