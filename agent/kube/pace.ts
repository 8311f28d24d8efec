/** The part of the time that may be spent, and how much of it can be saved up in quiet times. */
const SHARE = 0.1;
const SAVED_MAX_MS = 2000;
/** Shorter pauses would cost more than they save. */
const PAUSE_MIN_MS = 20;
/**
 * One look that took very long, as on a machine that was suspended, is no reason to stop for longer,
 * and what is beyond that is forgotten.
 */
const PAUSE_MAX_MS = 1000;
const OWED_MAX_MS = PAUSE_MAX_MS * SHARE;

/**
 * Limits the part of the time that is spent on objects, because whoever may change them chooses
 * how large they are and how often they come. What is not read yet waits on the server.
 */
export class Pace {
  /** The sum of the pauses so far, in milliseconds. */
  pausedMs = 0;
  #savedMs = SAVED_MAX_MS;
  #at: number;

  constructor(now = performance.now()) {
    this.#at = now;
  }

  /** Notes that a look took so long; returns the milliseconds to pause before the next one. */
  spend(ms: number, now = performance.now()): number {
    const earned = (now - this.#at) * SHARE;
    const saved = Math.min(this.#savedMs + earned, SAVED_MAX_MS) - ms;
    this.#savedMs = Math.max(saved, -OWED_MAX_MS);
    this.#at = now;
    const pauseMs = -this.#savedMs / SHARE;
    if (pauseMs < PAUSE_MIN_MS) return 0;
    this.pausedMs += pauseMs;
    return pauseMs;
  }
}
