import { beyond, countBeyond, merged, type Range } from '../ranges.ts';

/** A node without a record for so long is called silent. */
const SILENCE_NS = 3_600_000_000_000n;

/** What an input has of the numbers of one CPU under one hook. */
export interface CpuNumbers {
  /** the numbers that may be of the time that was asked for, in ascending ranges */
  readonly asked: readonly Range[];
  readonly received: readonly Range[];
  readonly lost: readonly Range[];
  readonly withheld: readonly Range[];
  /** The agent did not report what rules withheld from the export. */
  readonly isUntold: boolean;
  /** The input does not have what is next to the time, so that more numbers may be missing there. */
  readonly isOpen: boolean;
}

/** What an input knows of one node. */
export interface NodeFacts {
  readonly node: string;
  /** Unix nanoseconds of the first record */
  readonly first: bigint;
  /** that of the last one which no clock contradicts (see latestAt); undefined: there is none */
  readonly last: bigint | undefined;
  /** the latest time, if a clock contradicts it; it says nothing about how long the node was there */
  readonly ahead?: bigint;
  /** losses of an unknown number in the time that was asked for */
  readonly unknownLosses: number;
  /** when a time without a hook began that reaches into the time that was asked for */
  readonly unhooked?: bigint | undefined;
  /** records of that time that have arrived, and that a store has deleted since */
  readonly deleted?: number;
  readonly cpus: readonly CpuNumbers[];
}

/** The latest time that a record can have at a moment; the clocks of two machines may differ. */
export function latestAt(nowMs: number): bigint {
  return BigInt(nowMs) * 1_000_000n + SILENCE_NS;
}

/** What is known of agents that sent the records of a time, and those around it. */
export interface AgentsAnswer {
  /** the nodes that were asked */
  readonly asked: readonly string[];
  /** those among them whose journals continue behind what was searched */
  readonly unsearched: ReadonlySet<string>;
  /** nodes whose records are not all here, and why */
  readonly unjudged: ReadonlyMap<string, string>;
}

/** The times that were asked for, in Unix nanoseconds. */
export interface Asked {
  readonly since: bigint | undefined;
  readonly until: bigint;
}

/** Why the memory of a node is not complete; the most serious reason counts. */
export type Flaw =
  /** numbers are missing that nothing explains */
  | { readonly kind: 'holes'; readonly records: number }
  /** numbers are missing, and an agent of format 1 may have had rules */
  | { readonly kind: 'untold'; readonly records: number }
  /** undefined: an unknown number */
  | { readonly kind: 'losses'; readonly records: number | undefined }
  /** for a time, there was no hook; nobody knows what was executed then */
  | { readonly kind: 'unhooked'; readonly since: bigint }
  /** a store has deleted them since they arrived */
  | { readonly kind: 'deleted'; readonly records: number }
  /** nobody can know from what the input has */
  | { readonly kind: 'unjudged'; readonly why: string }
  | { readonly kind: 'silent'; readonly since: bigint }
  | { readonly kind: 'later'; readonly from: bigint };

/** How complete the memory of a node is. */
export interface NodeState {
  readonly node: string;
  /** undefined: it is complete */
  readonly flaw: Flaw | undefined;
  /** records that rules withheld from the export, and that are not here */
  readonly withheld: number;
  /** the latest time of a record, if the clock of this machine contradicts it */
  readonly ahead?: bigint;
}

/** Judges the memory of a node over the time that was asked for. */
export function stateOf(facts: NodeFacts, asked: Asked): NodeState {
  const counts = { holes: 0, untold: 0, lost: 0, withheld: 0 };
  for (const cpu of facts.cpus) {
    const absent = beyond(cpu.asked, cpu.received);
    const unlost = beyond(absent, merged(cpu.lost));
    const missing = beyond(unlost, merged(cpu.withheld));
    counts.lost += countOf(absent) - countOf(unlost);
    counts.withheld += countOf(unlost) - countOf(missing);
    counts[cpu.isUntold ? 'untold' : 'holes'] += countOf(missing);
  }
  const { node, ahead } = facts;
  const { withheld } = counts;
  const state = { node, flaw: flawOf(facts, asked, counts), withheld };
  return ahead === undefined ? state : { ...state, ahead };
}

function flawOf(
  { first, last, unknownLosses, unhooked, deleted = 0, cpus }: NodeFacts,
  { since, until }: Asked,
  {
    holes,
    untold,
    lost,
  }: { readonly holes: number; readonly untold: number; readonly lost: number },
): Flaw | undefined {
  if (holes > 0) return { kind: 'holes', records: holes };
  if (untold > 0) return { kind: 'untold', records: untold };
  if (unknownLosses > 0) return { kind: 'losses', records: undefined };
  if (lost > 0) return { kind: 'losses', records: lost };
  if (unhooked !== undefined && unhooked < until) return { kind: 'unhooked', since: unhooked };
  if (deleted > 0) return { kind: 'deleted', records: deleted };
  if (cpus.some(({ isOpen }) => isOpen))
    return { kind: 'unjudged', why: 'the records next to the time are too far from it' };
  if (last === undefined)
    return { kind: 'unjudged', why: 'all of its times are later than the clock of this machine' };
  const end = since !== undefined && since > until ? since : until;
  if (end - last >= SILENCE_NS) return { kind: 'silent', since: last };
  if (since !== undefined && first > since) return { kind: 'later', from: first };
  return undefined;
}

function countOf(ranges: readonly Range[]): number {
  return countBeyond(ranges, []);
}
