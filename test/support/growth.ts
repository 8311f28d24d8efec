/**
 * Other programs run beside, and V8 compiles while it is measured: only what exceeds a limit again and again
 * takes that long.
 */
const ATTEMPTS = 100;
const ROUNDS = 8;

/** The least time of some rounds. */
function leastTime(work: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.hrtime.bigint();
    work();
    least = Math.min(least, Number(process.hrtime.bigint() - before));
  }
  return least;
}

/** How much longer one work takes than another; it is measured again while it exceeds `max`. */
export function timesAsLong(work: () => void, other: () => void, max: number): number {
  let [time, otherTime] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let attempt = 0; attempt < ATTEMPTS && !(time / otherTime < max); attempt++) {
    time = Math.min(time, leastTime(work));
    otherTime = Math.min(otherTime, leastTime(other));
  }
  return time / otherTime;
}
