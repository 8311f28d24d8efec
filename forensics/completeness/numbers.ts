import { merged, type Range } from '../ranges.ts';
import type { TimeRange } from '../select/filter.ts';
import type { CpuNumbers } from './node.ts';

/** What is known of one CPU under one hook while rows are read. */
export interface Cpu {
  readonly hook: string;
  readonly received: Range[];
  readonly lost: Range[];
  readonly withheld: Range[];
  /** the last number before the time that was asked for, and the first one behind it */
  before: number | undefined;
  behind: number | undefined;
}

/** Returns what is known of a CPU before anything is read. */
export function emptyCpu(hook: string): Cpu {
  return { hook, received: [], lost: [], withheld: [], before: undefined, behind: undefined };
}

/** A hook in the inputs. */
export interface Hook {
  readonly node: string;
  readonly first: bigint;
  readonly last: bigint;
  /** by CPU: the first number that the inputs should have; undefined: no start says so */
  nextSeq: readonly number[] | undefined;
  isUntold: boolean;
}

/** Whether a hook can have records of a time. */
export function isOfTime({ first, last }: Hook, { since, until }: TimeRange): boolean {
  return (since === undefined || last >= since) && (until === undefined || first < until);
}

/** On which sides of a time a CPU may have numbers that an input lacks, unless the next one is there. */
export interface Sides {
  readonly before: boolean;
  readonly behind: boolean;
}

const NEITHER: Sides = { before: false, behind: false };

/** Returns what an input has of the numbers of a CPU; `number` is that of the CPU. */
export function numbersOf(cpu: Cpu, hook: Hook, number: number, lacking = NEITHER): CpuNumbers {
  const received = merged(cpu.received);
  const least = received[0]?.first ?? Number.POSITIVE_INFINITY;
  const begin = hook.nextSeq === undefined ? least : (hook.nextSeq[number] ?? 1);
  const all = [...received, ...cpu.lost, ...cpu.withheld];
  const most = all.reduce((highest, { last }) => Math.max(highest, last), 0);
  return {
    asked: {
      first: cpu.before === undefined ? Math.min(begin, least) : cpu.before + 1,
      last: cpu.behind === undefined ? most : cpu.behind - 1,
    },
    received,
    lost: cpu.lost,
    withheld: cpu.withheld,
    isUntold: hook.isUntold && cpu.withheld.length === 0,
    isOpen:
      (lacking.behind && cpu.behind === undefined) ||
      (lacking.before && cpu.before === undefined && !isFirst(least, begin, hook)),
  };
}

/** Whether the least number that is there is the first one that a CPU had, or that a start expects. */
function isFirst(least: number, begin: number, { nextSeq }: Hook): boolean {
  return least === 1 || (nextSeq !== undefined && begin <= least);
}
