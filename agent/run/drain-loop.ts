import type { CheckpointWriter } from './checkpoint.ts';
import type { Recorder } from './recorder.ts';

/** Takes a recorder's turns: on a timer while there is traffic, none while the kernel is silent. */
export class DrainLoop {
  /** Turns so far, and the time that they took. */
  readonly turns = { count: 0, ms: 0 };
  readonly #recorder: Recorder;
  readonly #checkpoint: CheckpointWriter;
  readonly #intervalMs: number;
  #isAsleep = false;
  #isOver = false;
  /** Ends the wait that is under way. */
  #goOn = () => {};

  constructor(recorder: Recorder, checkpoint: CheckpointWriter, intervalMs: number) {
    this.#recorder = recorder;
    this.#checkpoint = checkpoint;
    this.#intervalMs = intervalMs;
  }

  /** Takes turns until stop(); rejects with an error that ends the recording. */
  async run(): Promise<void> {
    try {
      while (!this.#isOver) {
        const { waitMs, maySleep } = this.#turn();
        const hasSlept = maySleep && (await this.#sleep());
        // What has woken it is followed by more at once: that gathers for one interval.
        await this.#wait(hasSlept ? this.#intervalMs : waitMs);
      }
    } finally {
      this.stop();
    }
  }

  /** Ends the turns: what the kernel still wakes it for is the next run's. */
  stop(): void {
    this.#isOver = true;
    this.#checkpoint.pause();
    this.#goOn();
  }

  /** The next turn has its time; else the kernel wakes it. */
  get isAwake(): boolean {
    return !this.#isAsleep && !this.#isOver;
  }

  #turn(): ReturnType<Recorder['turn']> {
    const began = performance.now();
    const turn = this.#recorder.turn();
    // Only what is on disk counts as recorded: what the kernel skipped by now is so the next time.
    if (turn.hasNews && this.#checkpoint.note()) this.#recorder.addKernelMisses();
    this.turns.count += 1;
    this.turns.ms += performance.now() - began;
    return turn;
  }

  /** Sleeps until there is something to drain; false: there is already. */
  async #sleep(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (!this.#recorder.sleep(resolve)) return false;
    this.#goOn = resolve;
    this.#isAsleep = true;
    this.#checkpoint.resume();
    await promise;
    this.#checkpoint.pause();
    this.#isAsleep = false;
    return true;
  }

  async #wait(ms: number): Promise<void> {
    if (this.#isOver) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#goOn = resolve;
    await promise;
    clearTimeout(timer);
  }
}
