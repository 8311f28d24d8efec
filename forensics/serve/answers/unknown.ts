import type { Flaw, NodeState } from '../../completeness/node.ts';
import { type TimeRange, timeRangeOf } from '../../select/filter.ts';
import { HOUR_NS } from '../../select/time.ts';
import type { Cell, NodeCells } from '../memory.ts';
import type { Answered, Question } from './question.ts';

/** So many parts has a time at most; each has whole hours. */
const PARTS_MAX = 72n;
const STEPS_H = [1n, 2n, 3n, 6n, 12n, 24n, 48n, 168n];
const NODES_MAX = 500;
const FLAWS = ['holes', 'untold', 'losses', 'unhooked', 'deleted'] as const;

/** Judges what is known of each node in each part of a time. */
export async function unknown({ memory, parameters, signal }: Question): Promise<Answered> {
  const { selection } = parameters;
  const asked = timeRangeOf(selection, Date.now());
  const isWhole = asked.since !== undefined && asked.until !== undefined;
  const { first = 0n, last = -1n } = isWhole ? {} : await memory.about(signal);
  const { since = first, until = last + 1n } = asked;
  if (since >= until)
    return { from: null, to: null, step: `${HOUR_NS}`, times: [], nodes: [], nodesLeftOut: 0 };
  const step = stepFor(since, until);
  const from = since - (since % step);
  const parts: (TimeRange & { readonly since: bigint })[] = [];
  for (let at = from; at < until && parts.length < 2 * Number(PARTS_MAX); at += step)
    parts.push({ since: at, until: at + step });
  const nodes = (await memory.cells(parts, selection, signal)).toSorted(byFlaws);
  return {
    from,
    to: from + BigInt(parts.length) * step,
    step,
    times: parts.map((part) => part.since),
    nodes: nodes.slice(0, NODES_MAX).map((one) => ({
      node: one.node,
      first: one.first,
      last: one.last,
      cells: one.cells.map((cell, index) => cellOf(one, cell, parts[index])),
    })),
    nodesLeftOut: Math.max(0, nodes.length - NODES_MAX),
  };
}

function stepFor(since: bigint, until: bigint): bigint {
  const hours = (until - since) / HOUR_NS + 1n;
  const step = STEPS_H.find((one) => hours / one < PARTS_MAX) ?? hours / PARTS_MAX + 1n;
  return step * HOUR_NS;
}

function cellOf({ first, off }: NodeCells, { state, records }: Cell, part: TimeRange | undefined) {
  const { flaw, withheld } = state;
  const numbers = {
    records,
    lost: lostOf(flaw),
    withheld,
    deleted: flaw?.kind === 'deleted' ? flaw.records : 0,
    missing: flaw?.kind === 'holes' || flaw?.kind === 'untold' ? flaw.records : 0,
  };
  const { since = 0n, until = 0n } = part ?? {};
  const isOff =
    until <= first ||
    off.some(({ from, to }) => from <= since && (to === undefined || until <= to));
  return { state: nameOf(state, records, isOff), ...numbers };
}

/** How many records a part lacks that nobody has; null: an unknown number, as while there was no hook. */
function lostOf(flaw: Flaw | undefined): number | null {
  if (flaw?.kind === 'unhooked') return null;
  return flaw?.kind === 'losses' ? (flaw.records ?? null) : 0;
}

/**
 * What is missing counts also where no agent was running, because the kernel keeps counting. A part that begins
 * later than asked is no flaw here, because its hour is shown.
 */
function nameOf({ flaw, withheld }: NodeState, records: number, isOff: boolean): string {
  const name = FLAWS.find((kind) => kind === flaw?.kind);
  if (name !== undefined) return name === 'unhooked' ? 'losses' : name;
  if (withheld > 0) return 'withheld';
  if (records > 0) return 'complete';
  return isOff ? 'none' : 'silent';
}

/** Nodes with more that is unknown come first. */
function byFlaws(one: NodeCells, other: NodeCells): number {
  return flawsOf(other) - flawsOf(one) || (one.node < other.node ? -1 : 1);
}

function flawsOf({ cells }: NodeCells): number {
  return cells.filter(
    ({ state: { flaw } }) => flaw !== undefined && FLAWS.some((kind) => kind === flaw.kind),
  ).length;
}
