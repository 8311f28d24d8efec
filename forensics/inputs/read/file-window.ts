import type { FileHandle } from 'node:fs/promises';

const WINDOW_BYTES = 512 << 10;

/** A place of a file from which something cannot be read, and why. */
export interface Damage {
  /** the offset in the file */
  readonly at: number;
  readonly why: string;
}

/** Reads parts of a file at offsets that mostly ascend. */
export class FileWindow {
  readonly #file: FileHandle;
  #bytes: Buffer = Buffer.alloc(0);
  #from = 0;
  /** Whether the bytes at hand reach the end of the file. */
  #isLast = false;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /**
   * Returns so many bytes from an offset on, fewer only at the end of the file; a promise if they
   * are not at hand. A later call does not change them.
   */
  bytes(at: number, length: number): Buffer | Promise<Buffer> {
    const known = this.#from + this.#bytes.length;
    const isHere = at >= this.#from && at <= known && (at + length <= known || this.#isLast);
    return isHere ? this.#part(at, length) : this.#read(at, length);
  }

  async #read(at: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafeSlow(Math.max(length, WINDOW_BYTES));
    let filled = 0;
    while (filled < buffer.length) {
      const rest = buffer.length - filled;
      const { bytesRead } = await this.#file.read(buffer, filled, rest, at + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    this.#bytes = buffer.subarray(0, filled);
    this.#from = at;
    this.#isLast = filled < buffer.length;
    return this.#part(at, length);
  }

  #part(at: number, length: number): Buffer {
    return this.#bytes.subarray(at - this.#from, at - this.#from + length);
  }
}
