import { current } from './current.ts';

/** What setInterval returns: the timer of its next call. */
interface Interval {
  timer: unknown;
}

/** What every file of the agent sees instead of the globals of the same names. */
export const GLOBALS = {
  setTimeout(job: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) {
    return current().after(ms, () => job(...args));
  },
  clearTimeout(timer: unknown) {
    current().clock.cancel(timer);
  },
  setInterval(job: () => void, ms: number): Interval {
    const next = () =>
      current().after(ms, () => {
        interval.timer = next();
        job();
      });
    const interval: Interval = { timer: next() };
    return interval;
  },
  clearInterval({ timer }: Interval) {
    current().clock.cancel(timer);
  },
  /** How many bytes of lines the agent keeps in memory for the collector. */
  recentBytes: () => current().traits.recentBytes,
  performance: { now: () => current().clock.now },
  Date: class extends Date {
    constructor(...args: [] | [number]) {
      if (args.length === 0) super(current().wallMs());
      else super(...args);
    }

    static override now(): number {
      return current().wallMs();
    }
  },
  Math: Object.create(Math, { random: { value: () => current().seeded.below(2 ** 30) / 2 ** 30 } }),
};
