import { Projection, type ProjectionOptions } from './projection.ts';

const LINE_FEED = 0x0a;

/** A projection of JSON lines: a line that is not JSON is left out, and the next one starts from the beginning. */
export class ProjectedLines {
  readonly #projection: Projection;
  #isSkipped = false;

  constructor(options: ProjectionOptions) {
    this.#projection = new Projection(options);
  }

  /** Takes the next bytes. Throws where more would be kept than memory allows. */
  write(bytes: Uint8Array): void {
    let from = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, from)) {
      this.#take(bytes.subarray(from, end + 1));
      if (this.#isSkipped || this.#projection.isWithinDocument) this.#projection.reset();
      this.#isSkipped = false;
      from = end + 1;
    }
    this.#take(bytes.subarray(from));
  }

  #take(bytes: Uint8Array): void {
    if (this.#isSkipped) return;
    try {
      this.#projection.write(bytes);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.#isSkipped = true;
    }
  }
}
