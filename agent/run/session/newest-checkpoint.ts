import { writeState } from '../../journal/state.ts';
import type { Report } from '../report.ts';

/** Keeps state.json. While the disk is busy, a newer state takes the place of one that waits. */
export class NewestCheckpoint {
  readonly #dir: string;
  readonly #report: Report;
  /** The state that waits, as text. */
  #next: string | undefined;
  #writing: Promise<void> | undefined;

  constructor(dir: string, report: Report) {
    this.#dir = dir;
    this.#report = report;
  }

  /** Begins to write a state, or has it wait. */
  write(text: string): void {
    this.#next = text;
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when nothing is being written any more. */
  async close(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#next !== undefined) {
      const text = this.#next;
      this.#next = undefined;
      try {
        await writeState(this.#dir, text);
      } catch (error) {
        this.#report({ event: 'run.state_write_failed', error: error as Error });
      }
    }
    this.#writing = undefined;
  }
}
