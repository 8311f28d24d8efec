import {
  closeSync,
  constants,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const NAME = 'state.json';

/** Replaces state.json as a whole; readers see the old or the new one. Not synced: it can be rebuilt. */
export function writeState(dir: string, state: unknown): void {
  const file = join(dir, NAME);
  rmSync(`${file}.tmp`, { force: true });
  writeFileSync(`${file}.tmp`, JSON.stringify(state), { mode: 0o600, flag: 'wx' });
  renameSync(`${file}.tmp`, file);
}

/** What state.json says, or why it says nothing. */
export function readState(dir: string): { readonly state?: unknown; readonly why?: string } {
  let fd: number | undefined;
  try {
    fd = openSync(join(dir, NAME), constants.O_RDONLY | constants.O_NOFOLLOW);
    return { state: JSON.parse(readFileSync(fd, 'utf8')) };
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
