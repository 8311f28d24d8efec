import { counted } from '../../record/describe.ts';
import { rfc3339Of } from '../../record/time.ts';
import type { TimeRange } from '../select/filter.ts';
import { type Flaw, type NodeFacts, type NodeState, stateOf } from './node.ts';

/** How many nodes a reason names. */
const NODES_SHOWN = 5;

const REASONS: Readonly<Record<Flaw['kind'], string>> = {
  holes: 'with holes that nothing explains',
  untold:
    'with holes that may be losses or the work of export rules, which an agent of format 1 does not report',
  losses: 'with losses',
  unhooked: 'without a hook for a time',
  deleted: 'with records that the store has deleted',
  unjudged: 'not judged',
  silent: 'silent',
  later: 'that begin later than asked',
};

/**
 * Says in one line how complete the memory of nodes is at a time, up to the last record of any node,
 * apart from times that cannot be. Nodes that cannot be judged come with the reason.
 */
export function completenessOf(
  nodes: readonly NodeFacts[],
  { since, until }: TimeRange,
  unjudged: ReadonlyMap<string, string> = new Map(),
): string {
  const [last = 0n] = nodes.flatMap((one) => one.last ?? []).sort((a, b) => (a < b ? 1 : -1));
  const judged = nodes.filter(({ node }) => !unjudged.has(node));
  const states = [
    ...judged.map((one) => stateOf(one, { since, until: until ?? last })),
    ...Array.from(unjudged, ([node, why]): NodeState => {
      return { node, flaw: { kind: 'unjudged', why }, withheld: 0 };
    }),
  ];
  return completenessSentence(states.toSorted((a, b) => (a.node < b.node ? -1 : 1)));
}

/** Says in one line how complete the memory of these nodes is. */
export function completenessSentence(states: readonly NodeState[]): string {
  const complete = states.filter(({ flaw }) => flaw === undefined).length;
  const withheld = states.reduce((sum, one) => sum + one.withheld, 0);
  const reasons = Object.entries(REASONS).flatMap(([kind, words]) => {
    const nodes = states.filter(({ flaw }) => flaw?.kind === kind);
    if (nodes.length === 0) return [];
    const named = namesOf(nodes.map(({ node, flaw }) => `${node} ${detailOf(flaw)}`));
    return [`${nodes.length} ${words}: ${named}`];
  });
  const ahead = states.flatMap(({ node, ahead: time }) =>
    time === undefined ? [] : [`${node} (${timeOf(time)})`],
  );
  const clocks =
    ahead.length === 0 ? [] : [`times later than the clock of this machine: ${namesOf(ahead)}`];
  const rules = withheld === 0 ? [] : [`rules withheld ${counted(withheld, 'record')}`];
  const all = `complete: ${complete} of ${counted(states.length, 'node')}`;
  return [all, ...reasons, ...clocks, ...rules].join('; ');
}

function namesOf(nodes: readonly string[]): string {
  return [...nodes.slice(0, NODES_SHOWN), ...(nodes.length > NODES_SHOWN ? ['…'] : [])].join(', ');
}

function detailOf(flaw: Flaw | undefined): string {
  switch (flaw?.kind) {
    case 'holes':
    case 'untold':
    case 'losses':
    case 'deleted':
      return `(${counted(flaw.records, 'record')})`;
    case 'unhooked':
    case 'silent':
      return `(since ${timeOf(flaw.since)})`;
    case 'later':
      return `(at ${timeOf(flaw.from)})`;
    case 'unjudged':
      return `(${flaw.why})`;
    case undefined:
      return '';
  }
}

function timeOf(nanoseconds: bigint): string {
  return rfc3339Of(nanoseconds)?.replace(/\.\d{9}Z$/, 'Z') ?? `${nanoseconds} ns`;
}
