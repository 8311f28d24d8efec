import type { CheckpointWriter } from './checkpoint.ts';
import type { Recorder, Turn } from './recorder.ts';

/**
 * Makes a recorder take its turns: on a timer while there are events, and none while there are no
 * events.
 */
export class DrainLoop {
  /** The number of turns so far, and the time that they took. */
  readonly turns = { count: 0, ms: 0 };
  readonly #recorder: Recorder;
  readonly #checkpoint: CheckpointWriter;
  readonly #intervalMs: number;
  #isAsleep = false;
  #isOver = false;
  /** Ends the current wait. */
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
        const { waitMs, maySleep } = await this.#turn();
        const hasSlept = maySleep && (await this.#sleep());
        // More events usually follow the first one; one interval lets them gather.
        await this.#wait(hasSlept ? this.#intervalMs : waitMs);
      }
    } finally {
      this.stop();
    }
  }

  /**
   * Ends a sleep, and the turns after the one that is being taken. Events that come later are for the
   * next run.
   */
  stop(): void {
    this.#isOver = true;
    this.#checkpoint.pause();
    this.#goOn();
  }

  /** Whether a timer starts the next turn. Otherwise the kernel wakes the loop, or it has ended. */
  get isAwake(): boolean {
    return !this.#isAsleep && !this.#isOver;
  }

  /** Whether the turn waits for the disk. */
  get isWriting(): boolean {
    return this.#recorder.isWriting;
  }

  async #turn(): Promise<Turn> {
    const began = performance.now();
    const turn = await this.#recorder.turn();
    // In this order: a checkpoint counts only what is on disk, and these losses are not there yet.
    if (turn.hasNews && this.#checkpoint.note()) this.#recorder.addKernelMisses();
    this.turns.count += 1;
    this.turns.ms += performance.now() - began;
    return turn;
  }

  /**
   * Sleeps until there is something to drain. Returns false at once if there is something already.
   */
  async #sleep(): Promise<boolean> {
    if (this.#isOver) return false;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#goOn = resolve;
    if (!(await this.#recorder.sleep(resolve)) || this.#isOver) return false;
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
