import type { TimeRange } from '../../select/filter.ts';

const NANOSECONDS = 1_000_000_000n;

/** A CPU under a hook. */
export interface Place {
  readonly node: string;
  readonly boot: string;
  readonly hook: string;
  readonly cpu: number;
}

/** Conditions about the column `hour` of the table `coverage`. */
export interface Hours {
  readonly within: string;
  readonly before: string;
  readonly behind: string;
}

/** Returns what is within, before and behind the hours of a time. */
export function hoursOf({ since, until }: TimeRange): Hours {
  const from = since === undefined ? undefined : `toStartOfHour(${timeOf(since)})`;
  const to = until === undefined ? undefined : timeOf(until);
  const within = [
    ...(from === undefined ? [] : [`hour >= ${from}`]),
    ...(to === undefined ? [] : [`hour < ${to}`]),
  ];
  return {
    within: within.join(' AND ') || 'true',
    before: from === undefined ? 'false' : `hour < ${from}`,
    behind: to === undefined ? 'false' : `hour >= ${to}`,
  };
}

/** A name of a CPU for maps. */
export function cpuKey({ node, boot, hook, cpu }: Place): string {
  return JSON.stringify([node, boot, hook, cpu]);
}

function timeOf(nanoseconds: bigint): string {
  return `toDateTime(${nanoseconds / NANOSECONDS}, 'UTC')`;
}
