/** In place of `node:fs/promises`: what the agent begins happens later, and ends later still. */

import fs, { type Stats } from 'node:fs';
import { Readable } from 'node:stream';
import { current } from './current.ts';
import { isThere } from './disk.ts';

const CHUNK_BYTES = 64 << 10;

export async function open(
  path: string,
  flags: string | number = 'r',
  mode?: number,
): Promise<FileHandle> {
  const fd = await current().later(() => current().disk.open(path, flags, mode));
  // A folder is opened to be synced.
  return new FileHandle(fd, flags === 'r' && !fs.fstatSync(fd).isDirectory());
}

export function rename(path: string, to: string): Promise<void> {
  return current().later(() => current().disk.rename(path, to));
}

export function rm(path: string, { force = false } = {}): Promise<void> {
  return current().later(() => {
    if (!force || isThere(path)) current().disk.remove(path);
  });
}

export function stat(path: string): Promise<Stats> {
  return current().later(() => fs.statSync(path) as Stats);
}

export function lstat(path: string): Promise<Stats> {
  return current().later(() => fs.lstatSync(path) as Stats);
}

/** Nobody reads what it says. */
export function statfs(path: string) {
  return current().later(() => fs.statfsSync(path));
}

/** There are no containers, and so no files of their runtimes. */
export async function readdir(path: string): Promise<string[]> {
  if (!path.startsWith(current().disk.dir)) return [];
  return current().later(() => fs.readdirSync(path));
}

export function readFile(path: string): Promise<Buffer> {
  return current().later(() => fs.readFileSync(path));
}

export function symlink(target: string, path: string): Promise<void> {
  return current().later(() =>
    current().disk.change('other', undefined, () => fs.symlinkSync(target, path)),
  );
}

export async function appendFile(path: string, data: string): Promise<void> {
  const file = await open(path, 'a');
  try {
    await file.writeFile(data);
  } finally {
    await file.close();
  }
}

/** An open file of the agent. */
export class FileHandle {
  readonly #fd: number;
  readonly #isReader: boolean;

  constructor(fd: number, isReader: boolean) {
    this.#fd = fd;
    this.#isReader = isReader;
  }

  async read(buffer: Buffer, offset: number, length: number, at: number | null = null) {
    const bytesRead = await current().later(
      () => fs.readSync(this.#fd, buffer, offset, length, at),
      undefined,
      this.#readMs,
    );
    return { bytesRead, buffer };
  }

  /** Writes what the disk takes; at a position, all of it. */
  async write(buffer: Buffer, offset: number, length: number, at?: number) {
    const bytes = buffer.subarray(offset, offset + length);
    const { disk } = current();
    const bytesWritten = await current().later(() =>
      at === undefined ? disk.write(this.#fd, bytes) : disk.overwrite(this.#fd, bytes, at),
    );
    return { bytesWritten, buffer };
  }

  /** Writes all of it. */
  async writeFile(data: string | Buffer): Promise<void> {
    const bytes = Buffer.from(data as string);
    for (let at = 0; at < bytes.length; )
      at += await current().later(() => current().disk.write(this.#fd, bytes.subarray(at)));
  }

  appendFile(data: string): Promise<void> {
    return this.writeFile(data);
  }

  sync(): Promise<void> {
    return current().later(
      () => current().disk.sync(this.#fd),
      (end) => end(),
    );
  }

  datasync(): Promise<void> {
    return this.sync();
  }

  stat(): Promise<Stats> {
    return current().later(() => fs.fstatSync(this.#fd) as Stats);
  }

  truncate(size: number): Promise<void> {
    return current().later(() => current().disk.truncate(this.#fd, size));
  }

  close(): Promise<void> {
    return current().later(() => current().disk.close(this.#fd), undefined, this.#readMs);
  }

  /** A reader waits longer than a writer. */
  get #readMs(): number | undefined {
    return this.#isReader ? current().readMs() : undefined;
  }

  createReadStream({ start }: { start: number }): Readable {
    return Readable.from(this.#chunks(start, CHUNK_BYTES), { objectMode: false });
  }

  async *#chunks(start: number, size: number): AsyncGenerator<Buffer> {
    for (let at = start; ; ) {
      const { bytesRead, buffer } = await this.read(Buffer.allocUnsafe(size), 0, size, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }
}
