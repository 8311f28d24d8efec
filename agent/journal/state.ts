import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { readPlainFile, replaceFile } from '../files.ts';
import { unusable } from './folder.ts';

/** The newest state, which a power cut may take or leave empty. */
export const NEWEST_STATE = 'state.json';
/** An older state, which is on disk together with all lines before its position. */
const DURABLE = 'checkpoint.json';
/** The files of states, the newest first. */
export const STATE_FILES = [NEWEST_STATE, DURABLE] as const;

type StateFile = (typeof STATE_FILES)[number];

/** Replaces state.json as a whole. It need not survive a power cut. */
export async function writeState(dir: string, text: string): Promise<void> {
  await replaceFile(join(dir, NEWEST_STATE), text, { durable: false });
}

/** Replaces checkpoint.json as a whole; when this resolves, it survives a power cut. */
export async function writeDurableState(dir: string, text: string): Promise<void> {
  await replaceFile(join(dir, DURABLE), text, { durable: true });
}

/** Removes the file of a state if it is there; throws an error of the registry. */
export function removeState(dir: string, file: StateFile): void {
  try {
    rmSync(join(dir, file), { force: true });
  } catch (cause) {
    throw unusable(dir, cause);
  }
}

/** Reads a state; returns its content, or the reason why there is none. */
export function readState(
  dir: string,
  file: StateFile = NEWEST_STATE,
): { readonly state?: unknown; readonly why?: string } {
  try {
    return { state: JSON.parse(readPlainFile(join(dir, file))) };
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) };
  }
}
