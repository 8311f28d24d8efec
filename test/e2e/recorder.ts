import { writeFileSync } from 'node:fs';
import { Agent } from '../support/agent.ts';
import type { JournalLine } from '../support/journal/followed-journal.ts';
import { inNetwork } from './network.ts';
import { DIR, NODE_NAME } from './place.ts';

/** The time in which records of pods must appear, on a busy machine. */
const PATIENCE_MS = 120_000;

/** Starts an agent on the node itself: in its network, under its name, with its own journal. */
export async function startRecorder(...args: readonly string[]): Promise<Recorder> {
  const recorder = new Recorder(args);
  try {
    await recorder.agent.start();
  } catch (error) {
    await recorder[Symbol.asyncDispose]();
    throw error;
  }
  return recorder;
}

/** A running agent, and what it wrote about pods. */
export class Recorder implements AsyncDisposable {
  readonly agent: Agent;

  constructor(args: readonly string[]) {
    this.agent = new Agent({ args: ['--node-name', NODE_NAME, ...args] });
    const wrapper = `${DIR}/agent`;
    const words = inNetwork([this.agent.bin]).map((word) => `'${word}'`);
    writeFileSync(wrapper, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`, { mode: 0o755 });
    this.agent.bin = wrapper;
  }

  /**
   * Waits for the exec with these arguments after the name of the program; each test uses its own.
   */
  marked(marker: string): Promise<JournalLine> {
    return this.agent.journal.marked(marker, PATIENCE_MS);
  }

  waitFor<T>(what: string, find: (records: readonly JournalLine[]) => T | undefined): Promise<T> {
    return this.agent.journal.waitFor(what, find, PATIENCE_MS);
  }

  /** Returns the causes of a record, the nearest first, to the beginning of its chain. */
  chain(record: JournalLine): JournalLine[] {
    const byId = new Map(this.agent.records().map((other) => [other.id, other]));
    const causes: JournalLine[] = [];
    for (let id = record.parent_cause; id !== null; ) {
      const cause = byId.get(id);
      if (cause === undefined) throw new Error(`${id} is not in the journal`);
      causes.push(cause);
      id = cause.parent_cause;
    }
    return causes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent.close();
  }
}
