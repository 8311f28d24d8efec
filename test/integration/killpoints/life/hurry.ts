import timers from 'node:timers/promises';

/** How much faster than the world the clocks of the process run that imports this. */
const FACTOR = 20;

/*
 * Lets what happens every half second, or after two, happen within a short life. The wall clock, by
 * which segments get old, stays as it is.
 */
const { setTimeout: soon } = globalThis;
const later = timers.setTimeout;
const now = performance.now.bind(performance);

performance.now = () => now() * FACTOR;
globalThis.setTimeout = Object.assign(
  (job: () => void, ms = 0, ...args: never[]) => soon(job, ms / FACTOR, ...args),
  { __promisify__: soon.__promisify__ },
) as typeof setTimeout;
timers.setTimeout = (ms = 0, ...more) => later(ms / FACTOR, ...more);
