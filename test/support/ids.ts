import { readFileSync } from 'node:fs';

/** A boot id as Linux makes them, the same in all tests' own records. */
export const BOOT_ID = '01234567-89ab-4def-8123-456789abcdef';
/** The uid of a pod. */
export const POD_UID = '8f4a1c9e-2d3b-4c5d-9e8f-0a1b2c3d4e5f';

/** The id of this machine's boot. */
export function runningBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
