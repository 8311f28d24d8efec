import { readFileSync } from 'node:fs';

/** Returns the time on the boot clock, in milliseconds. */
export function bootMs(): number {
  return Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;
}
