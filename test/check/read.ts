import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { everyFrame } from '../support/every-frame.ts';

const SEGMENT = /^(\d{20})\.jsonl(\.zst)?$/;
const NOT_UTF8 = '(not UTF-8)';

/** Reads the folder of a journal, segment by segment; a later call reads what was added since. */
export class JournalReader {
  readonly #directory: string;
  #segment = '';
  #offset = 0;
  #start = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Where the line is that was yielded last: the number of its segment, and the offset in it. */
  get place(): { readonly segment: number; readonly offset: number } {
    return { segment: Number(this.#segment), offset: this.#start };
  }

  /** Yields the lines that have not been read yet, without an incomplete last line. */
  *lines(): Generator<string> {
    for (const [segment, file] of segmentsOf(this.#directory)) {
      if (segment < this.#segment) continue;
      if (segment > this.#segment) {
        this.#segment = segment;
        this.#offset = 0;
      }
      const content = readSegment(join(this.#directory, file));
      for (;;) {
        const end = content.indexOf(0x0a, this.#offset);
        if (end < 0) break;
        const line = content.subarray(this.#offset, end);
        this.#start = this.#offset;
        this.#offset = end + 1;
        yield decode(line);
      }
    }
  }
}

/** Maps numbers to files, in order; of both forms, the compressed one. */
function segmentsOf(directory: string): [string, string][] {
  const segments = new Map<string, string>();
  for (const file of readdirSync(directory).sort()) {
    const segment = SEGMENT.exec(file)?.[1];
    // `.zst` sorts after the plain form.
    if (segment !== undefined) segments.set(segment, file);
  }
  return [...segments].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Reads a segment; empty if it was deleted after it was listed. */
function readSegment(path: string): Buffer {
  try {
    const content = readFileSync(path);
    return path.endsWith('.zst') ? everyFrame(content) : content;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    // It may also have been compressed.
    return path.endsWith('.zst') ? Buffer.alloc(0) : readSegment(`${path}.zst`);
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A line that is not UTF-8 becomes one that is not JSON either. */
function decode(line: Uint8Array): string {
  try {
    return UTF8.decode(line);
  } catch {
    return NOT_UTF8;
  }
}
