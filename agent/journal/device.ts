import { readFileSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';

const NO_ROOM = new Set(['EDQUOT', 'ENOSPC']);

/** Whether it is an error that passes once there is space. */
export function isNoRoom(error: unknown): boolean {
  return NO_ROOM.has((error as NodeJS.ErrnoException).code ?? '');
}

/** Describes the storage of a folder for people, such as `/dev/vda at / (1536 MiB free)`. */
export async function storageOf(dir: string): Promise<string> {
  try {
    const { bavail, bsize } = await statfs(dir);
    return `${await deviceOf(dir)} (${Math.floor((bavail * bsize) / 2 ** 20)} MiB free)`;
  } catch {
    return 'a device that cannot be asked';
  }
}

async function deviceOf(dir: string): Promise<string> {
  const { dev } = await stat(dir);
  // as the kernel encodes it, include/linux/kdev_t.h
  const number = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [, , device, , mountPoint, ...rest] = line.split(' ');
    if (device === number) return `${rest[rest.indexOf('-') + 2]} at ${mountPoint}`;
  }
  return `device ${number}`;
}
