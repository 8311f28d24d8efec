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
  deleted: 'with records that the store has deleted',
  unjudged: 'not judged',
  silent: 'silent',
  later: 'that begin later than asked',
};

/**
 * Says in one line how complete the memory of nodes is at a time, up to the last record of any node.
 * Nodes that cannot be judged come with the reason.
 */
export function completenessOf(
  nodes: readonly NodeFacts[],
  { since, until }: TimeRange,
  unjudged: ReadonlyMap<string, string> = new Map(),
): string {
  const [last = 0n] = nodes.map((one) => one.last).sort((a, b) => (a < b ? 1 : -1));
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
    const shown = nodes.slice(0, NODES_SHOWN).map(({ node, flaw }) => `${node} ${detailOf(flaw)}`);
    const more = nodes.length > shown.length ? ', …' : '';
    return [`${nodes.length} ${words}: ${shown.join(', ')}${more}`];
  });
  const rules = withheld === 0 ? [] : [`rules withheld ${counted(withheld, 'record')}`];
  return [`complete: ${complete} of ${counted(states.length, 'node')}`, ...reasons, ...rules].join(
    '; ',
  );
}

function detailOf(flaw: Flaw | undefined): string {
  switch (flaw?.kind) {
    case 'holes':
    case 'untold':
    case 'losses':
    case 'deleted':
      return `(${counted(flaw.records, 'record')})`;
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
