import { closeSync, constants, fstatSync, openSync, read, statSync, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { visible } from '../../../record/visible.ts';

const CHUNK_BYTES = 256 << 10;
const POLL_MS = 20;
/** After this time without a byte, stderr says what is waited for. */
const SAY_AFTER_MS = 1000;
/** The time that a named pipe gets for a writer to open it. */
const WRITER_WAIT_MS = 10_000;
/** A descriptor of this process, as a path. */
const DESCRIPTOR = /^\/(?:dev|proc\/(?:self|thread-self))\/fd\/(\d{1,6})$/;

/** Returns whether a path is standard input, a pipe or a descriptor, which can be read only once. */
export function isStream(path: string): boolean {
  if (path === '-') return true;
  const fd = descriptorOf(path);
  try {
    return fd === undefined ? statSync(path).isFIFO() : !fstatSync(fd).isFile();
  } catch {
    return false;
  }
}

/**
 * Copies everything from a stream into a file, up to its end. A named pipe has its end when its
 * last writer closes it; without any writer, this rejects after a while.
 */
export async function copyStream(path: string, target: string): Promise<void> {
  const fd = path === '-' ? 0 : descriptorOf(path);
  const to = openSync(target, 'wx', 0o600);
  try {
    if (fd !== undefined) await copy(path, fd, to, 0);
    else {
      // Opening waits for no writer this way.
      const from = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      await copy(path, from, to, WRITER_WAIT_MS).finally(() => closeSync(from));
    }
  } finally {
    closeSync(to);
  }
}

async function copy(path: string, from: number, to: number, writerWaitMs: number): Promise<void> {
  const begin = performance.now();
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let isEmpty = true;
  const name = path === '-' ? 'standard input' : visible(path);
  const say = setTimeout(() => {
    if (isEmpty) process.stderr.write(`vcml: waiting for what a program writes to ${name}\n`);
  }, SAY_AFTER_MS);
  try {
    for (;;) {
      const bytes = await readSome(from, buffer);
      if (bytes === undefined) await pause(POLL_MS);
      else if (bytes > 0) {
        isEmpty = false;
        for (let at = 0; at < bytes; ) at += writeSync(to, buffer, at, bytes - at);
      } else if (!isEmpty || writerWaitMs === 0) return;
      else if (performance.now() - begin < writerWaitMs) await pause(POLL_MS);
      else throw new Error(`no program opened this pipe for writing in ${writerWaitMs / 1000} s`);
    }
  } finally {
    clearTimeout(say);
  }
}

const readAsync = promisify(read);

/** Returns the number of bytes; 0: the end, or no writer; undefined: there are none yet. */
async function readSome(fd: number, buffer: Buffer): Promise<number | undefined> {
  try {
    const { bytesRead } = await readAsync(fd, buffer, 0, buffer.length, null);
    return bytesRead;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
    throw error;
  }
}

function descriptorOf(path: string): number | undefined {
  if (path === '/dev/stdin') return 0;
  const number = DESCRIPTOR.exec(path)?.[1];
  return number === undefined ? undefined : Number(number);
}
