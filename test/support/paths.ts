import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The repository's root. */
export const ROOT = join(import.meta.dirname, '../..');
/** The agent's command. */
export const AGENT_BIN = join(ROOT, 'bin/vcml-agent');
/** The reader's command. */
export const VCML_BIN = join(ROOT, 'bin/vcml');

/** Returns the path of a file in build/, which `make test` makes before it runs the tests. */
export function built(name: string): string {
  const path = join(ROOT, 'build', name);
  if (!existsSync(path))
    throw new Error(`${path} is missing: run the test as make test TESTS=FILE`);
  return path;
}
