/** What must be undone whatever happens, the latest first; also when a benchmark is interrupted. */
export class Cleanup {
  readonly #tasks: (() => unknown)[] = [];
  #closed = false;

  /** Remembers a task; the function that comes back does it now, and then it is done. */
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

  /** Does all that is left; a task that fails is told and keeps no other from being done. */
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
