import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { readPlainFile, replaceFileSync } from '../files.ts';

const NAME = 'state.json';

/** Replaces state.json as a whole. It need not survive a power cut, since it can be rebuilt. */
export function writeState(dir: string, state: unknown): void {
  replaceFileSync(join(dir, NAME), JSON.stringify(state), { durable: false });
}

/** Removes state.json if it is there. */
export function removeState(dir: string): void {
  rmSync(join(dir, NAME), { force: true });
}

/** Reads state.json; returns its content, or the reason why there is none. */
export function readState(dir: string): { readonly state?: unknown; readonly why?: string } {
  try {
    return { state: JSON.parse(readPlainFile(join(dir, NAME))) };
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) };
  }
}
