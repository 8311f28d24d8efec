import {
  closeSync,
  constants,
  fstatSync,
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

/** Takes state.json away, if it is there. */
export function removeState(dir: string): void {
  rmSync(join(dir, NAME), { force: true });
}

/** What state.json says, or why it says nothing. */
export function readState(dir: string): { readonly state?: unknown; readonly why?: string } {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  let fd: number | undefined;
  try {
    // A FIFO in its place must not hold up the open.
    fd = openSync(join(dir, NAME), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!fstatSync(fd).isFile()) return { why: 'state.json is not a plain file' };
    return { state: JSON.parse(readFileSync(fd, 'utf8')) };
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
