import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findFiles } from '../inputs/find.ts';
import { Journals } from '../journals.ts';
import type { Form } from '../output/form.ts';
import { recordPrinter } from '../output/records.ts';
import { flush } from '../output/stdout.ts';
import { conditionOf, type Selection } from '../select/filter.ts';
import { entriesByTime, hitsOf } from '../select/ordered.ts';

const POLL_MS = 250;

/** The options of `vcml tail`. */
export interface TailOptions extends Selection {
  readonly output: Form;
}

/** Prints records as they are written, until SIGINT or SIGTERM. */
export async function tail(inputs: readonly string[], options: TailOptions): Promise<number> {
  const condition = conditionOf(options, Date.now());
  const printer = recordPrinter(options.output === 'json' ? 'jsonl' : options.output);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort());
  const directory = mkdtempSync(join(tmpdir(), 'vcml-'));
  const news = join(directory, 'news.jsonl');
  const followed = new Followed(inputs);
  try {
    while (!stop.signal.aborted) {
      const lines = await followed.read();
      if (lines.length > 0) {
        writeFileSync(news, lines, { mode: 0o600 });
        const journals = await Journals.open([news]);
        try {
          const { sql, columns } = condition;
          await journals.scan('marked', columns, [`${sql} AS hit`]);
          const hits = await hitsOf(journals, 'marked', 'hit');
          for await (const entry of entriesByTime(journals, hits)) await printer.record(entry);
        } finally {
          journals.close();
        }
        await flush();
      }
      await pause(POLL_MS, undefined, { signal: stop.signal }).catch(() => {});
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return 0;
}

/** Plain files that grow, and how far they have been read. */
class Followed {
  readonly #inputs: readonly string[];
  /** the offset behind the last whole line, by path */
  readonly #offsets = new Map<string, number>();

  constructor(inputs: readonly string[]) {
    this.#inputs = inputs;
    for (const { path } of findFiles(inputs).found) this.#offsets.set(path, sizeOf(path));
  }

  /** Yields the whole lines that were added since the last call. */
  async read(): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (const { path } of findFiles(this.#inputs).found) {
      // A compressed segment was read while it was plain.
      if (path.endsWith('.zst')) continue;
      const from = this.#offsets.get(path) ?? 0;
      const part = await wholeLines(path, from);
      this.#offsets.set(path, from + part.length);
      parts.push(part);
    }
    return Buffer.concat(parts);
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

async function wholeLines(path: string, from: number): Promise<Buffer> {
  const size = sizeOf(path);
  if (size <= from) return Buffer.alloc(0);
  const handle = await open(path).catch(() => undefined);
  if (handle === undefined) return Buffer.alloc(0);
  try {
    const { buffer, bytesRead } = await handle.read(
      Buffer.alloc(size - from),
      0,
      size - from,
      from,
    );
    return buffer.subarray(0, buffer.subarray(0, bytesRead).lastIndexOf(0x0a) + 1);
  } finally {
    await handle.close();
  }
}
