import type { Position } from '../../journal/segment.ts';
import { writeDurableState } from '../../journal/state.ts';
import type { Report } from '../report.ts';

/** A state of a session, as text. */
export interface WrittenState {
  readonly text: string;
  readonly position: Position;
}

/** Keeps checkpoint.json: a state that, with all lines before its position, survives a power cut. */
export class DurableCheckpoint {
  readonly #dir: string;
  readonly #report: Report;
  /** The state to write once the journal is on disk up to its position. */
  #offered: WrittenState | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(dir: string, report: Report) {
    this.#dir = dir;
    this.#report = report;
  }

  /** Takes a state in place of the one that was offered before. */
  offer(state: WrittenState): void {
    this.#offered = state;
  }

  /** Begins to write what was offered if the journal is on disk up to its position. */
  write(durable: Position | undefined): void {
    const state = this.#offered;
    if (state === undefined || durable === undefined || isBefore(durable, state.position)) return;
    this.#offered = undefined;
    this.#writing = this.#writing
      .then(() => writeDurableState(this.#dir, state.text))
      .catch((error) => this.#report({ event: 'run.state_write_failed', error }));
  }

  /** Resolves when nothing is being written any more. */
  async close(): Promise<void> {
    await this.#writing;
  }
}

function isBefore(one: Position, other: Position): boolean {
  return (
    one.segment < other.segment || (one.segment === other.segment && one.offset < other.offset)
  );
}
