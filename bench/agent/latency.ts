import { execFile } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type Bed, startedAgent } from '../bed/bed.ts';
import { segments } from '../bed/journal.ts';

const EXECS = 200;
const EVERY_MS = 20;
const LOOK_EVERY_MS = 1;
const PATIENCE_MS = 10_000;

/**
 * Measures the milliseconds from the timestamp of a record to the moment at which its line can be
 * read, for each exec.
 */
export async function measureLatency(bed: Bed): Promise<number[]> {
  const { agent, close } = await startedAgent(bed);
  const [file] = segments(agent.journalDir);
  if (file === undefined) throw new Error('the journal has no segment');
  const deadline = performance.now() + EXECS * EVERY_MS + PATIENCE_MS;
  const found: number[] = [];
  const lines = new Follower(file);
  const wallOffset = sampleWallOffset();
  const spawner = executeOften(bed.noop);
  try {
    while (found.length < EXECS && performance.now() < deadline) {
      await pause(LOOK_EVERY_MS);
      const fresh = lines.read();
      const seen = performance.now() + wallOffset;
      for (const line of fresh) {
        const timestamp = line.includes(bed.noop) ? /"timestamp":(\d+)/.exec(line)?.[1] : undefined;
        // A double is exact to a quarter of a microsecond.
        if (timestamp !== undefined) found.push(seen - Number(timestamp) / 1e6);
      }
    }
    await spawner;
  } finally {
    lines.close();
  }
  await close();
  if (found.length < EXECS) throw new Error(`${found.length} of ${EXECS} lines came`);
  return found;
}

async function executeOften(noop: string): Promise<void> {
  for (let count = 0; count < EXECS; count++) {
    execFile(noop, ['latency']);
    await pause(EVERY_MS);
  }
}

/** Returns Unix milliseconds minus performance.now(), read at a step of Date.now(). */
function sampleWallOffset(): number {
  const before = Date.now();
  let now = before;
  while (now === before) now = Date.now();
  return now - performance.now();
}

/** Yields the lines that were added to a file. */
class Follower {
  readonly #fd: number;
  #offset: number;
  #rest = '';

  constructor(file: string) {
    this.#fd = openSync(file, 'r');
    this.#offset = fstatSync(this.#fd).size;
  }

  read(): string[] {
    const buffer = Buffer.allocUnsafe(fstatSync(this.#fd).size - this.#offset);
    if (buffer.length === 0) return [];
    const length = readSync(this.#fd, buffer, 0, buffer.length, this.#offset);
    this.#offset += length;
    const lines = (this.#rest + buffer.toString('latin1', 0, length)).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines;
  }

  close(): void {
    closeSync(this.#fd);
  }
}
