import { latestAt } from '../../completeness/node.ts';
import type { TimeRange } from '../../select/filter.ts';
import { HOUR_NS } from '../../select/time.ts';

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

/** Returns the column `possible` in SQL: the last time that the clock of this machine does not contradict. */
export function possibleOf(time: string): string {
  return `toString(maxOrNullIf(${time}, ${time} <= ${latestAt(Date.now())})) AS possible`;
}

/** A time that begins with an hour, and how long each of its parts is; undefined: it is one part. */
export interface Parts extends TimeRange {
  readonly step?: bigint;
}

/** Returns how many parts a time has. */
export function countOf({ since, until, step }: Parts): number {
  if (since === undefined || until === undefined || step === undefined) return 1;
  return Number((until - since) / step);
}

/** Returns the number of the part in which an hour is: -1 before all of them, their count behind them. */
export function partOf(timestamp: bigint, parts: Parts): number {
  const { since, until, step } = parts;
  const hour = timestamp - (timestamp % HOUR_NS);
  if (since !== undefined && hour < since - (since % HOUR_NS)) return -1;
  if (until !== undefined && hour >= until) return countOf(parts);
  return step === undefined || since === undefined ? 0 : Number((hour - since) / step);
}

/** A name of a CPU for maps. */
export function cpuKey({ node, boot, hook, cpu }: Place): string {
  return JSON.stringify([node, boot, hook, cpu]);
}

function timeOf(nanoseconds: bigint): string {
  return `toDateTime(${nanoseconds / NANOSECONDS}, 'UTC')`;
}
