/** The tasks that undo what was done, the latest first, also when a benchmark is interrupted. */
export class Cleanup {
  readonly #tasks: (() => unknown)[] = [];
  #closed = false;

  /** Adds a task; the returned function runs it now and removes it. */
  add(task: () => unknown): () => Promise<void> {
    if (this.#closed) throw new Error('the benchmark is over');
    this.#tasks.push(task);
    return async () => {
      const index = this.#tasks.indexOf(task);
      if (index < 0) return;
      this.#tasks.splice(index, 1);
      await task();
    };
  }

  /** Runs all tasks that are left; a failure is reported and does not prevent the others. */
  async close(): Promise<void> {
    this.#closed = true;
    for (let task = this.#tasks.pop(); task !== undefined; task = this.#tasks.pop()) {
      try {
        await task();
      } catch (error) {
        process.stderr.write(`cleaning up: ${error}\n`);
      }
    }
  }
}
