import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';

/** Larger writes are not cheaper. */
export const WRITE_BYTES = 1 << 20;
const RETRY_MIN_MS = 1;
const RETRY_MAX_MS = 50;

/** Stdout for records: it writes once per turn of the event loop and never waits for its reader. */
export class Stdout {
  readonly #given: number;
  readonly #fd: number;
  #text = '';
  #unwritten: Buffer = Buffer.alloc(0);
  #retryMs = RETRY_MIN_MS;
  #timer: NodeJS.Timeout | undefined;
  #waiting: (() => void)[] = [];
  #closed = false;

  constructor(fd = 1) {
    this.#given = fd;
    this.#fd = withoutBlocking(fd);
  }

  /** Whether the reader is gone; further text is dropped. */
  get closed(): boolean {
    return this.#closed;
  }

  /** How much is not written yet. */
  get bytes(): number {
    return this.#text.length + this.#unwritten.length;
  }

  write(text: string): void {
    if (this.#closed) return;
    if (this.bytes === 0) setImmediate(() => this.#push());
    this.#text += text;
  }

  /** Writes bytes, which must not change until this resolves: they are written, or the reader is gone. */
  async pass(bytes: Buffer): Promise<void> {
    await this.drained();
    if (this.#closed) return;
    this.#unwritten = bytes;
    await this.drained();
  }

  /** Resolves when everything is written or the reader is gone. */
  async drained(): Promise<void> {
    this.#push();
    if (this.bytes > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Drops what is not written yet. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#text = '';
    this.#unwritten = Buffer.alloc(0);
    clearTimeout(this.#timer);
    this.#wake();
    if (this.#fd !== this.#given) closeSync(this.#fd);
  }

  #push(): void {
    if (this.#closed || this.#timer !== undefined) return;
    try {
      while (this.bytes > 0) {
        if (this.#unwritten.length === 0) {
          this.#unwritten = Buffer.from(this.#text);
          this.#text = '';
        }
        const written = writeSync(this.#fd, this.#unwritten);
        this.#unwritten = this.#unwritten.subarray(written);
        this.#retryMs = RETRY_MIN_MS;
      }
      this.#wake();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') this.#retry();
      else this.close();
    }
  }

  #retry(): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#push();
    }, this.#retryMs);
    this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MAX_MS);
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/**
 * Opens a pipe or terminal once more, because O_NONBLOCK on the given descriptor would change it
 * for every process that shares it. Returns the given descriptor where that is not possible.
 */
function withoutBlocking(fd: number): number {
  const stat = fstatSync(fd);
  if (!stat.isFIFO() && !stat.isCharacterDevice()) return fd;
  try {
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
    return openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    return fd;
  }
}
