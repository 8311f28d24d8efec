import type { Transform } from 'node:stream';

/** Decompresses one piece after the other, so that an error costs only the piece that has it. */
export class Decompressor {
  readonly #stream: Transform;
  #text: Buffer[] = [];
  #hasEnded = false;
  #error: Error | undefined;
  /** ends the wait for the piece that is being decompressed */
  #done = (): void => {};

  constructor(stream: Transform) {
    this.#stream = stream;
    stream.on('data', (part) => this.#text.push(part));
    // After an error or the end, the callback of the last write is not called.
    stream.on('end', () => {
      this.#hasEnded = true;
      this.#done();
    });
    stream.on('error', (error) => {
      this.#error = error;
      this.#done();
    });
  }

  /** Whether the compressed text ended within the last piece. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Returns the text that a piece completes; rejects if it is damaged. */
  feed(piece: Buffer): Promise<Buffer[]> {
    return this.#textOf(() => this.#stream.write(piece, () => this.#done()));
  }

  /** Returns the last text; rejects if the compressed text has no end. */
  async finish(): Promise<Buffer[]> {
    return this.#hasEnded ? [] : this.#textOf(() => this.#stream.end());
  }

  close(): void {
    this.#stream.destroy();
  }

  async #textOf(work: () => void): Promise<Buffer[]> {
    await new Promise<void>((resolve) => {
      this.#done = resolve;
      work();
    });
    if (this.#error !== undefined) throw this.#error;
    const text = this.#text;
    this.#text = [];
    return text;
  }
}
