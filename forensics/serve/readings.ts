import type { AuditLogFor } from '../exec-requests/audit-log.ts';
import type { Memory } from './memory.ts';

/** What questions are answered from. */
export interface Reading {
  readonly memory: Memory;
  readonly auditLogFor: AuditLogFor;
}

interface Held extends Reading {
  /** how many questions are being answered from it */
  users: number;
  isFormer: boolean;
}

/** The last reading of the inputs. Questions that began with the one before end with it. */
export class Readings implements AsyncDisposable {
  readonly #read: (() => Promise<Reading>) | undefined;
  #held: Held;
  #next: Promise<void> | undefined;

  /** `read` reads the inputs again; undefined: that cannot be done, or need not be. */
  constructor(first: Reading, read: (() => Promise<Reading>) | undefined) {
    this.#held = { ...first, users: 0, isFormer: false };
    this.#read = read;
  }

  get areRepeatable(): boolean {
    return this.#read !== undefined;
  }

  /** Whether the inputs are being read again, which nothing ends early. */
  get isReading(): boolean {
    return this.#next !== undefined;
  }

  /** Has a question answered from the last reading. */
  async use<T>(ask: (reading: Reading) => Promise<T>): Promise<T> {
    const held = this.#held;
    held.users += 1;
    try {
      return await ask(held);
    } finally {
      held.users -= 1;
      await closeFormer(held);
    }
  }

  /** Reads the inputs again. Whoever asks meanwhile waits for the same reading. */
  again(): Promise<void> {
    this.#next ??= this.#replace().finally(() => {
      this.#next = undefined;
    });
    return this.#next;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#held.memory[Symbol.asyncDispose]();
  }

  async #replace(): Promise<void> {
    if (this.#read === undefined) return;
    const former = this.#held;
    this.#held = { ...(await this.#read()), users: 0, isFormer: false };
    former.isFormer = true;
    await closeFormer(former);
  }
}

async function closeFormer({ memory, users, isFormer }: Held): Promise<void> {
  if (isFormer && users === 0) await memory[Symbol.asyncDispose]();
}
