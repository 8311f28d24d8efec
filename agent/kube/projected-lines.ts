import { Projection, type ProjectionOptions } from './projection.ts';

/** A projection of JSON lines: a line that is not JSON is left out, and the next one starts from the beginning. */
export class ProjectedLines {
  readonly #projection: Projection;
  #isSkipped = false;

  constructor(options: ProjectionOptions) {
    this.#projection = new Projection(options);
  }

  /** Takes the next bytes, each as a character. Throws where more would be kept than memory allows. */
  write(bytes: string): void {
    let from = 0;
    for (let end = bytes.indexOf('\n'); end >= 0; end = bytes.indexOf('\n', from)) {
      this.#take(bytes.slice(from, end + 1));
      if (this.#isSkipped || this.#projection.isWithinDocument) this.#projection.reset();
      this.#isSkipped = false;
      from = end + 1;
    }
    this.#take(bytes.slice(from));
  }

  #take(bytes: string): void {
    if (this.#isSkipped) return;
    try {
      this.#projection.write(bytes);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.#isSkipped = true;
    }
  }
}
