/** In place of `node:fs`: the files of the journal are on the simulated disk. */

import fs, { type PathLike, type Stats } from 'node:fs';
import { Writable } from 'node:stream';
import { current } from './current.ts';
import { isThere } from './disk.ts';
import { open } from './promises.ts';

// biome-ignore lint/performance/noBarrelFile: the agent imports other functions of it, too
export * from 'node:fs';

export function openSync(path: string, flags: string | number = 'r', mode?: number): number {
  return current().disk.open(path, flags, mode);
}

export function closeSync(fd: number): void {
  current().disk.close(fd);
}

export function writeSync(fd: number, bytes: Buffer, offset = 0, length?: number): number {
  return current().disk.write(fd, bytes.subarray(offset, length && offset + length));
}

export function fsyncSync(fd: number): void {
  current().disk.sync(fd)();
}

export { fsyncSync as fdatasyncSync };

export function fdatasync(fd: number, done: (error: Error | null) => void): void {
  const { disk } = current();
  current()
    .later(
      () => disk.sync(fd),
      (end) => end(),
    )
    .then(() => done(null), done);
}

export function ftruncateSync(fd: number, size: number): void {
  current().disk.truncate(fd, size);
}

interface WriteOptions {
  readonly mode?: number;
  readonly flag?: string;
  readonly flush?: boolean;
}

export function writeFileSync(
  path: string,
  text: string,
  { mode, flag = 'w', flush = false }: WriteOptions = {},
): void {
  const fd = openSync(path, flag, mode);
  try {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    if (flush) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export function appendFileSync(path: string, text: string, options: WriteOptions = {}): void {
  writeFileSync(path, text, { ...options, flag: 'a' });
}

export function unlinkSync(path: string): void {
  current().disk.remove(path);
}

export function rmSync(path: string, { force = false } = {}): void {
  if (!force || isThere(path)) current().disk.remove(path);
}

export function renameSync(path: string, to: string): void {
  current().disk.rename(path, to);
}

export function symlinkSync(target: string, path: string): void {
  current().disk.change('other', undefined, () => fs.symlinkSync(target, path));
}

export function statSync(path: PathLike, options?: { throwIfNoEntry: false }): Stats | undefined {
  return fs.statSync(path, options) as Stats | undefined;
}

export function fstatSync(fd: number): Stats {
  return fs.fstatSync(fd);
}

/** The boot, and the start of this process, are those of the simulated machine. */
export function readFileSync(path: string | number, ...more: never[]): string | Buffer {
  if (path === '/proc/sys/kernel/random/boot_id') return `${current().bootId}\n`;
  const content = fs.readFileSync(path, ...more);
  if (path !== `/proc/${process.pid}/stat`) return content;
  const fields = `${content}`.split(' ');
  fields[21] = `${current().lives}`;
  return typeof content === 'string' ? fields.join(' ') : Buffer.from(fields.join(' '));
}

/** There are no other processes. */
export function readdirSync(path: string, ...more: never[]): unknown[] {
  return path === '/proc' ? [`${process.pid}`] : fs.readdirSync(path, ...more);
}

/** The agent lists cgroups with it, and there are none. */
export function opendirSync() {
  return { readSync: () => null, closeSync() {} };
}

/** Nothing is seen at once. */
export function watch() {
  const watcher = { on: () => watcher, close() {}, unref: () => watcher };
  return watcher;
}

interface StreamOptions {
  readonly flags: string;
  readonly mode: number;
  readonly flush?: boolean;
}

export function createWriteStream(path: string, { flags, mode, flush }: StreamOptions): Writable {
  let handle: Awaited<ReturnType<typeof open>> | undefined;
  const settle = (work: Promise<unknown> | undefined, done: (error?: Error) => void) =>
    void (work ?? Promise.resolve()).then(() => done(), done);
  return new Writable({
    construct(done) {
      const opened = open(path, flags, mode).then((one) => {
        handle = one;
      });
      settle(opened, done);
    },
    write: (chunk, _, done) => settle(handle?.writeFile(chunk), done),
    final: (done) => settle(flush ? handle?.sync() : undefined, done),
    destroy: (error, done) => settle(handle?.close(), (other) => done(error ?? other ?? null)),
  });
}
