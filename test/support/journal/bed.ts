import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DeletedRange } from '../../../agent/journal/archive/retention.ts';
import type { Journal, JournalOptions } from '../../../agent/journal/journal.ts';
import { openJournal } from '../../../agent/journal/journal.ts';
import { bootMs } from '../boot-clock.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { readLinesSync } from './read-lines.ts';

/** A journal's folder for one test, and what its writers reported. */
export interface Bed {
  readonly root: string;
  readonly dir: string;
  readonly problems: string[];
  /** The ranges that they have deleted for space. */
  readonly ranges: readonly DeletedRange[];
  open(options?: Partial<JournalOptions>): Promise<Journal>;
  /** Makes the folder a file system of this size (mount -o size). */
  mount(size: string): void;
}

/** The file that every journal has beside its segments. */
export const RESERVE = 'deletions.json.reserve';

/** Makes a bed for one test, which is removed after it. */
export function createBed(t: { after(cleanUp: () => void): void }): Bed {
  const mounts: string[] = [];
  t.after(() => {
    for (const mount of mounts) execFileSync('umount', ['--lazy', mount]);
  });
  const root = temporaryFolder(t);
  const dir = join(root, 'journal');
  const problems: string[] = [];
  const ranges: DeletedRange[] = [];
  const journals: Journal[] = [];
  return {
    root,
    dir,
    problems,
    get ranges() {
      for (const journal of journals) ranges.push(...journal.takeRetired());
      return ranges;
    },
    async open(options = {}) {
      const journal = await openJournal({
        dir,
        segmentMaxBytes: 1 << 20,
        segmentMaxAgeMs: 3_600_000,
        maxBytes: 1 << 30,
        sync: 'interval',
        syncIntervalMs: 50,
        compressionLevel: 1,
        checkpointIntervalMs: 10_000,
        now: bootMs,
        report: ({ error }) => problems.push(error.message),
        ...options,
      });
      journals.push(journal);
      return journal;
    },
    mount: (size) => {
      mkdirSync(dir);
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tmpfs', dir]);
      mounts.push(dir);
    },
  };
}

/** Appends lines, each ended here by its line feed. */
export async function append(journal: Journal, ...lines: readonly string[]): Promise<void> {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  await journal.append(bytes, bytes.length);
}

/** All whole lines of a journal's folder. */
export function linesOf(dir: string): string[] {
  return readLinesSync(dir).map(({ line }) => line);
}

/** `from` to below `to`, as lines. */
export function numbered(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, n) => `{"n":${from + n}}`);
}

/** Starts test/support/journal/writer.ts; what it prints is in `said`. */
export function startWriter(
  dir: string,
  options: object,
  env: NodeJS.ProcessEnv = {},
): { child: ChildProcess; said(): string } {
  const file = join(import.meta.dirname, 'writer.ts');
  const child = spawn(process.execPath, [file, dir, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  let text = '';
  child.stdout.on('data', (data) => (text += data));
  return { child, said: () => text };
}

/** Waits for the end of a process. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
}
