import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

/** Where a folder stands in an archive, and when everything in it was changed. */
export interface Placed {
  /** The folder of the archive that has the content; without it, the archive's root. */
  readonly under?: string;
  /** Unix seconds. */
  readonly epoch: number;
}

/**
 * Returns a folder as a tar archive. Only names, content and the bits of execution decide its bytes:
 * the order, owners, times and other permissions are fixed.
 */
export function tarOf(folder: string, { under = '.', epoch }: Placed): Buffer {
  const args = [
    '--create',
    '--format=gnu',
    '--sort=name',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--mode=u+rwX,go+rX,go-w',
    `--mtime=@${epoch}`,
    // not the targets of links
    `--transform=flags=rh;s,^\\.,${under},`,
    '--hard-dereference',
    `--directory=${folder}`,
    '.',
  ];
  return execFileSync('tar', args, { maxBuffer: 1 << 30, env: { ...process.env, LC_ALL: 'C' } });
}

/** Compresses with gzip, without a time. */
export function gzipped(bytes: Buffer): Buffer {
  return gzipSync(bytes, { level: 6 });
}

/** Writes a folder as FILE.tar.gz or .tgz. */
export function writeArchive(file: string, folder: string, placed: Placed): void {
  writeFileSync(file, gzipped(tarOf(folder, placed)));
}

/** Returns the SHA-256 in hex. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
