import { constants, createZstdCompress } from 'node:zlib';
import { createFormat, formOf, type PrintForm } from './format.ts';
import { Stdout } from './stdout.ts';

/** Smaller parts are collected up to this size. */
const PART_BYTES = 64 << 10;
const LINE_FEED = 0x0a;

/** How lines are printed. Without a form: text on a terminal, else the lines as they are. */
export interface PrinterOptions {
  readonly print?: PrintForm | undefined;
  /** Whether to compress the lines, as they are, with zstd. */
  readonly zstd?: boolean | undefined;
}

/** Takes whole lines, which must not change until it has taken them. */
interface Sink {
  take(lines: Buffer): Promise<void>;
  end(): Promise<void>;
}

/** Prints lines of a journal on stdout; what waits for its reader is bounded. */
export class Printer {
  readonly #stdout = new Stdout();
  readonly #sink: Sink;
  readonly #collected = Buffer.allocUnsafeSlow(PART_BYTES);
  #length = 0;

  constructor({ print, zstd = false }: PrinterOptions) {
    if (zstd) this.#sink = compressing(this.#stdout);
    else if (formOf(print) === 'jsonl') this.#sink = passing(this.#stdout);
    else this.#sink = formatting(this.#stdout);
  }

  /** Whether the reader is gone. */
  get closed(): boolean {
    return this.#stdout.closed;
  }

  /** Prints whole lines, which must not change until this resolves. */
  async print(lines: Buffer): Promise<void> {
    if (this.#length + lines.length > PART_BYTES) await this.#flush();
    if (lines.length > PART_BYTES) await this.#sink.take(lines);
    else this.#length += lines.copy(this.#collected, this.#length);
  }

  /** Resolves when everything is printed, or the reader is gone. */
  async end(): Promise<void> {
    await this.#flush();
    await this.#sink.end();
  }

  async #flush(): Promise<void> {
    if (this.#length > 0) await this.#sink.take(this.#collected.subarray(0, this.#length));
    this.#length = 0;
  }
}

function passing(stdout: Stdout): Sink {
  return { take: (lines) => stdout.pass(lines), end: () => stdout.drained() };
}

function formatting(stdout: Stdout): Sink {
  const format = createFormat('text');
  return {
    async take(lines) {
      let from = 0;
      for (let end = lines.indexOf(LINE_FEED); end >= 0; end = lines.indexOf(LINE_FEED, from)) {
        stdout.write(format(lines.toString('utf8', from, end)));
        from = end + 1;
      }
      await stdout.drained();
    },
    end: () => stdout.drained(),
  };
}

/** Compresses at the level that costs the node least. */
function compressing(stdout: Stdout): Sink {
  const zstd = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  const passed = (async () => {
    for await (const part of zstd as AsyncIterable<Buffer>) await stdout.pass(part);
  })();
  passed.catch(() => {}); // take() or end() throws what it throws
  return {
    take: (lines) =>
      new Promise<void>((resolve, reject) => {
        zstd.write(lines, (error) => (error ? reject(error) : resolve()));
      }),
    async end() {
      zstd.end();
      await passed;
    },
  };
}
