/** A time in which no agent was running; undefined: it has not ended. */
export interface OffTime {
  readonly from: bigint;
  readonly to: bigint | undefined;
}

/** The start or the stop of an agent. */
export interface Turn {
  readonly node: string;
  readonly timestamp: bigint;
  readonly isStop: boolean;
}

/** The condition for the records from which offTimesOf() is made. */
export const TURNS = `"action" IN ('journal.start', 'journal.stop')`;

/** Returns the times from a stop to the next start of each node; `turns` are in the order of time. */
export function offTimesOf(turns: readonly Turn[]): ReadonlyMap<string, readonly OffTime[]> {
  const times = new Map<string, OffTime[]>();
  for (const { node, timestamp, isStop } of turns) {
    const known = times.get(node) ?? [];
    times.set(node, known);
    const last = known.at(-1);
    const isOff = last !== undefined && last.to === undefined;
    if (isStop && !isOff) known.push({ from: timestamp, to: undefined });
    else if (!isStop && isOff) known[known.length - 1] = { from: last.from, to: timestamp };
  }
  return times;
}
