import { mkdirSync, mkdtempSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ForensicsError } from '../errors.ts';

/** A folder for what is read once or is not as DuckDB needs it; only the user can open it. */
export class Temporary {
  /** undefined: there is none */
  readonly path: string | undefined;
  /** why there is none */
  readonly why: string | undefined;
  #files = 0;
  #newest = '';

  constructor() {
    // Whoever sees the folder may send a signal at once: those who remove it are there before it.
    process.on('exit', this.#remove);
    for (const signal of SIGNALS) process.on(signal, this.#endBy);
    try {
      this.path = mkdtempSync(join(realpathSync(tmpdir()), 'vcml-'));
    } catch (error) {
      this.why = `the temporary folder cannot be used, set TMPDIR: ${(error as Error).message}`;
    }
  }

  /** Returns the path of a new file; throws if there is no temporary folder. */
  file(extension: '.jsonl' | '.jsonl.zst' = '.jsonl'): string {
    this.#newest = this.#new(extension);
    return this.#newest;
  }

  /** Makes a new folder and returns its path; throws if there is no temporary folder. */
  folder(): string {
    const path = this.#new('');
    mkdirSync(path, { mode: 0o700 });
    return path;
  }

  /** The size of the file that was made last. */
  get bytes(): number {
    if (this.#newest === '') return 0;
    return statSync(this.#newest, { throwIfNoEntry: false })?.size ?? 0;
  }

  close(): void {
    this.#remove();
    process.off('exit', this.#remove);
    for (const signal of SIGNALS) process.off(signal, this.#endBy);
  }

  #new(extension: string): string {
    if (this.path === undefined) throw new ForensicsError('unreadable', this.why ?? '');
    this.#files += 1;
    return join(this.path, `${this.#files}${extension}`);
  }

  readonly #remove = (): void => {
    if (this.path !== undefined) rmSync(this.path, { recursive: true, force: true });
  };

  /** Records must not stay behind. If nobody else listens, the signal then ends the process. */
  readonly #endBy = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) > 1) return;
    this.close();
    process.kill(process.pid, signal);
  };
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
