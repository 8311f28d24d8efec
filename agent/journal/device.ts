import { readFileSync, statfsSync, statSync } from 'node:fs';

/** Describes the storage of a folder for people, such as `/dev/vda at / (1536 MiB free)`. */
export function storageOf(dir: string): string {
  try {
    const { bavail, bsize } = statfsSync(dir);
    return `${deviceOf(dir)} (${Math.floor((bavail * bsize) / 2 ** 20)} MiB free)`;
  } catch {
    return 'a device that cannot be asked';
  }
}

function deviceOf(dir: string): string {
  const { dev } = statSync(dir);
  // as the kernel encodes it, include/linux/kdev_t.h
  const number = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [, , device, , mountPoint, ...rest] = line.split(' ');
    if (device === number) return `${rest[rest.indexOf('-') + 2]} at ${mountPoint}`;
  }
  return `device ${number}`;
}
