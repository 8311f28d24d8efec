import { join } from 'node:path';

/** The repository's root. */
export const ROOT = join(import.meta.dirname, '../..');
/** The agent's command. */
export const AGENT_BIN = join(ROOT, 'bin/vcml-agent');
/** The reader's command. */
export const VCML_BIN = join(ROOT, 'bin/vcml');
