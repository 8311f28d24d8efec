import { merged, type Range } from '../ranges.ts';
import type { TimeRange } from '../select/filter.ts';
import type { CpuNumbers } from './node.ts';

/**
 * Numbers, and the part of a time in which they are stamped, or the record that reports them is: 0 is the
 * first part. Less is before that, and more behind it.
 */
export interface Stamped extends Range {
  readonly part: number;
}

/** Numbers that a rule withheld. */
export interface Withheld extends Stamped {
  /** The report has no higher ones, and its stamp is that of the last number. */
  readonly isLast: boolean;
}

/** What is known of one CPU under one hook while rows are read. */
export interface Cpu {
  readonly hook: string;
  readonly received: Range[];
  /** where received numbers are in time; numbers that are missing may be among them */
  readonly stretches: Stamped[];
  readonly lost: Stamped[];
  /** lost after they were written, because the journal was too large */
  readonly deleted: Stamped[];
  readonly withheld: Withheld[];
  /** the last number that an agent had when it started */
  readonly begun: Stamped[];
}

/** Returns what is known of a CPU before anything is read. */
export function emptyCpu(hook: string): Cpu {
  return { hook, received: [], stretches: [], lost: [], deleted: [], withheld: [], begun: [] };
}

/** A hook in the inputs. */
export interface Hook {
  readonly node: string;
  /** undefined: only later hooks say something about it */
  readonly first: bigint | undefined;
  readonly last: bigint;
  /** by CPU: the first number that the inputs should have; undefined: no start says so */
  nextSeq: readonly number[] | undefined;
  isUntold: boolean;
}

/** Whether a hook can have records of a time. */
export function isOfTime({ first = 0n, last }: Hook, { since, until }: TimeRange): boolean {
  return (since === undefined || last >= since) && (until === undefined || first < until);
}

/** Returns the least number that each start expects; a CPU that it does not name begins at 1. */
export function leastOf(starts: readonly (readonly number[])[]): readonly number[] {
  const [first = [], ...others] = starts;
  const named = others.reduce((least, { length }) => Math.min(least, length), first.length);
  return Array.from({ length: named }, (_, cpu) =>
    starts.reduce((least, next) => Math.min(least, next[cpu] ?? 1), Number.POSITIVE_INFINITY),
  );
}

/** On which sides of a time a CPU may have numbers that an input lacks, unless the next one is there. */
export interface Sides {
  readonly before: boolean;
  readonly behind: boolean;
}

const NEITHER: Sides = { before: false, behind: false };

/**
 * Returns what an input has of the numbers of a CPU in a part of the time; `number` is that of the CPU.
 */
export function numbersOf(
  cpu: Cpu,
  hook: Hook,
  number: number,
  part = 0,
  lacking = NEITHER,
): CpuNumbers {
  const least = leastIn(cpu.stretches);
  const begin =
    hook.nextSeq === undefined
      ? Math.min(least, leastIn(cpu.lost), leastIn(cpu.withheld))
      : (hook.nextSeq[number] ?? 1);
  return {
    asked: askedOf(cpu, Math.min(begin, least), part),
    received: merged(cpu.received),
    lost: [...cpu.lost, ...cpu.deleted],
    withheld: cpu.withheld,
    isUntold: hook.isUntold && cpu.withheld.length === 0,
    isOpen:
      (lacking.behind && !cpu.stretches.some((one) => one.part > part)) ||
      (lacking.before &&
        !cpu.stretches.some((one) => one.part < part) &&
        !isFirst(least, begin, hook)),
  };
}

/**
 * Returns the numbers that may be of a part of the time, from the first one that the input should have.
 * Numbers are taken in the order of the kernel, but a clock may be set back: a number that is missing
 * counts unless those next to it are both before the part, or both behind it.
 */
function askedOf(cpu: Cpu, first: number, part: number): readonly Range[] {
  const asked: Range[] = [];
  let next = first;
  let before: number | undefined;
  const fill = (last: number, behind: number) => {
    if (last >= next && mayBeIn(part, before, behind)) asked.push({ first: next, last });
  };
  for (const known of knownPlaces(cpu)) {
    if (known.last < first) continue;
    fill(known.first - 1, known.part);
    if (known.part === part) asked.push(known);
    if (known.last < next) continue;
    next = known.last + 1;
    before = known.part;
  }
  // Of numbers behind the last one, nothing but the reports says when they were.
  const reports = [...cpu.lost, ...cpu.deleted, ...cpu.begun];
  for (const report of reports.toSorted((a, b) => a.last - b.last)) {
    fill(report.last, report.part);
    next = Math.max(next, report.last + 1);
  }
  return merged(asked);
}

/** Returns the numbers whose stamps are known, in their order. */
function knownPlaces({ stretches, withheld }: Cpu): readonly Stamped[] {
  const stamped = withheld.flatMap(({ last, part, isLast }) =>
    isLast ? [{ first: last, last, part }] : [],
  );
  return [...stretches, ...stamped].sort((a, b) => a.first - b.first || a.last - b.last);
}

/** Whether a number between two others may be of a part; `before`: undefined: there is none before it. */
function mayBeIn(part: number, before: number | undefined, behind: number): boolean {
  if (before === undefined) return behind >= part;
  return Math.min(before, behind) <= part && Math.max(before, behind) >= part;
}

/** Whether nothing but the start of an agent names a CPU. */
export function isOnlyNamed({ stretches, lost, deleted, withheld }: Cpu): boolean {
  return [stretches, lost, deleted, withheld].every(({ length }) => length === 0);
}

/** Whether the least number that is there is the first one that a CPU had, or that a start expects. */
function isFirst(least: number, begin: number, { nextSeq }: Hook): boolean {
  return least === 1 || (nextSeq !== undefined && begin <= least);
}

function leastIn(ranges: readonly Range[]): number {
  return ranges.reduce((least, { first }) => Math.min(least, first), Number.POSITIVE_INFINITY);
}
