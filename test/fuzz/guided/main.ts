// make fuzz: every target for FUZZ_SECONDS, or those that FUZZ_TARGETS names; SEED repeats a run.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../support/paths.ts';
import { createTargets } from './targets.ts';
import { watch } from './watch.ts';

const { FUZZ_SECONDS = '60', FUZZ_TARGETS = '', SEED = `${Date.now() % 2 ** 31}` } = process.env;

// In memory, where there is one: a disk would take most of the time.
const dir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'vcml-fuzz-'));
try {
  const wanted = FUZZ_TARGETS.split(/\s+/).filter(Boolean);
  for (const { name, property } of createTargets(join(dir, 'names'))) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    console.log(`${name}: ${property}`);
    const { rounds, kept, why, failing } = await watch({
      name,
      targets: import.meta.resolve('./targets.ts'),
      dir: join(dir, name),
      seconds: Number(FUZZ_SECONDS),
      seed: Number(SEED),
      patienceMs: 30_000,
      folder: join(ROOT, 'build/fuzz', name),
    });
    console.log(`  ${rounds} inputs, of which ${kept} reached something new; SEED=${SEED}`);
    if (why === undefined) continue;
    console.log(`  FAILS for ${failing}:\n${why.replaceAll(/^/gm, '    ')}`);
    process.exitCode = 1;
  }
} finally {
  rmSync(dir, { recursive: true });
}
