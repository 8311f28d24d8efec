import type { BootTime, WallOffset } from '../../record/types.ts';

const KEPT_WITHIN_NS = 1e6;

/** Knows how far the wall clock is ahead of the boot clock. */
export class Clock {
  #offset: WallOffset = { seconds: 0, nanos: 0 };
  #now: BootTime = { seconds: 0, nanos: 0 };
  #isSampled = false;

  /**
   * Takes a reading of both clocks (Hook.clock). The offset changes only when it has moved by more
   * than a millisecond, so that the noise between two readings does not move timestamps; and it stays
   * where the two clocks were not read within that time, because nobody knows how far apart they were.
   */
  sample(reading: Iterable<number>): void {
    const [bootSeconds = 0, bootNanos = 0, wallSeconds = 0, wallNanos = 0, within = 0] = reading;
    this.#now = { seconds: bootSeconds, nanos: bootNanos };
    if (within > KEPT_WITHIN_NS && this.#isSampled) return;
    this.#isSampled = true;
    const borrow = wallNanos < bootNanos ? 1 : 0;
    const seconds = wallSeconds - bootSeconds - borrow;
    const nanos = wallNanos - bootNanos + borrow * 1e9;
    const moved = (seconds - this.#offset.seconds) * 1e9 + (nanos - this.#offset.nanos);
    if (Math.abs(moved) > KEPT_WITHIN_NS) this.#offset = { seconds, nanos };
  }

  get offset(): WallOffset {
    return this.#offset;
  }

  /** The time on the boot clock at the last sample. */
  get now(): BootTime {
    return this.#now;
  }
}
