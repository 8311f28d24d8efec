import { readFileSync } from 'node:fs';
import type { Uuid } from '../../record/types.ts';

/** A boot id as Linux makes them, the same in all tests' own records. */
export const BOOT_ID = '01234567-89ab-4def-8123-456789abcdef';
/** The uid of a pod. */
export const POD_UID = '8f4a1c9e-2d3b-4c5d-9e8f-0a1b2c3d4e5f';

/** Reads a UUID. */
export function uuidOf(text: string): Uuid {
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex');
  const [a = 0, b = 0, c = 0, d = 0] = [0, 4, 8, 12].map((at) => bytes.readInt32BE(at));
  return { a, b, c, d };
}

/** The id of this machine's boot. */
export function runningBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
