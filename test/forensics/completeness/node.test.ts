import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CpuNumbers,
  latestAt,
  type NodeFacts,
  stateOf,
} from '../../../forensics/completeness/node.ts';
import { completenessSentence } from '../../../forensics/completeness/sentence.ts';

const HOUR = 3_600_000_000_000n;
const NOON = 1_795_000_000_000_000_000n;

/** A CPU that has the numbers 1 to 10 but for 4 to 6. */
const cpu = (more: Partial<CpuNumbers> = {}): CpuNumbers => ({
  asked: [{ first: 1, last: 10 }],
  received: [
    { first: 1, last: 3 },
    { first: 7, last: 10 },
  ],
  lost: [],
  withheld: [],
  isUntold: false,
  isOpen: false,
  ...more,
});
const node = (cpus: readonly CpuNumbers[], more: Partial<NodeFacts> = {}): NodeFacts => ({
  node: 'n1',
  first: NOON - HOUR,
  last: NOON,
  unknownLosses: 0,
  cpus,
  ...more,
});
const told = [{ first: 4, last: 6 }];
const asked = { since: undefined, until: NOON };
const flawOf = (facts: NodeFacts, since?: bigint) => stateOf(facts, { since, until: NOON }).flaw;

test('numbers that are received, lost or withheld make a memory complete, but for losses', () => {
  const whole = cpu({ received: [{ first: 1, last: 10 }] });
  assert.equal(flawOf(node([whole])), undefined);
  assert.equal(flawOf(node([cpu({ withheld: told })])), undefined);
  assert.equal(stateOf(node([cpu({ withheld: told })]), asked).withheld, 3);
  assert.deepEqual(flawOf(node([cpu({ lost: told })])), { kind: 'losses', records: 3 });
  assert.deepEqual(flawOf(node([cpu()])), { kind: 'holes', records: 3 });
  assert.deepEqual(flawOf(node([cpu({ isUntold: true })])), { kind: 'untold', records: 3 });
  assert.deepEqual(flawOf(node([cpu({ withheld: [{ first: 4, last: 5 }] })])), {
    kind: 'holes',
    records: 1,
  });
});

test('a record that is here is neither lost nor withheld', () => {
  const both = { received: [{ first: 1, last: 10 }], lost: told, withheld: told };
  assert.deepEqual(stateOf(node([cpu(both)]), asked), { node: 'n1', flaw: undefined, withheld: 0 });
});

test('a node is not judged where nothing is known of what is next to the time', () => {
  const open = cpu({ received: [{ first: 1, last: 10 }], isOpen: true });
  const { flaw } = stateOf(node([open]), asked);
  assert.equal(flaw?.kind, 'unjudged');
  assert.deepEqual(flawOf(node([cpu({ isOpen: true })])), { kind: 'holes', records: 3 });
  assert.match(
    completenessSentence([{ node: 'n1', flaw, withheld: 0 }]),
    /^complete: 0 of 1 node; 1 not judged: n1 \(the records next to the time are too far from it\)$/,
  );
});

test('only numbers of the time that was asked for count', () => {
  assert.equal(flawOf(node([cpu({ asked: [{ first: 7, last: 10 }] })])), undefined);
  assert.equal(flawOf(node([cpu({ asked: [{ first: 1, last: 3 }] })])), undefined);
  assert.equal(flawOf(node([cpu({ asked: [] })])), undefined);
  assert.deepEqual(flawOf(node([cpu({ asked: [{ first: 6, last: 8 }] })])), {
    kind: 'holes',
    records: 1,
  });
});

test('a loss of an unknown number, silence and a late beginning are reasons, too', () => {
  assert.deepEqual(flawOf(node([], { unknownLosses: 1 })), { kind: 'losses', records: undefined });
  assert.deepEqual(flawOf(node([], { last: NOON - HOUR })), { kind: 'silent', since: NOON - HOUR });
  const later = stateOf(node([]), { since: NOON + HOUR, until: NOON });
  assert.deepEqual(later.flaw, { kind: 'silent', since: NOON });
  assert.equal(flawOf(node([], { last: NOON - HOUR + 1n })), undefined);
  assert.deepEqual(flawOf(node([]), NOON - 2n * HOUR), { kind: 'later', from: NOON - HOUR });
  assert.equal(flawOf(node([]), NOON - HOUR), undefined);
});

test('a time without a hook is a reason if it begins before the end of the time', () => {
  assert.deepEqual(flawOf(node([], { unhooked: NOON - 1n })), {
    kind: 'unhooked',
    since: NOON - 1n,
  });
  assert.equal(flawOf(node([], { unhooked: NOON })), undefined);
});

test('a node without a possible time is not judged, and a time that is not possible is named', () => {
  const ahead = NOON + 100_000n * HOUR;
  assert.equal(flawOf(node([], { last: undefined, ahead }))?.kind, 'unjudged');
  const state = stateOf(node([], { ahead }), asked);
  assert.deepEqual(state, { node: 'n1', flaw: undefined, withheld: 0, ahead });
  assert.equal(
    completenessSentence([state]),
    'complete: 1 of 1 node; times later than the clock of this machine: n1 (2038-04-16T03:06:40Z)',
  );
  assert.equal(latestAt(Number(NOON / 1_000_000n)), NOON + HOUR);
});

test('one line says how many nodes are complete, and names the others by their reason', () => {
  const states = [
    node([cpu({ withheld: told })]),
    node([cpu({ lost: told })], { node: 'n2' }),
    node([], { node: 'n3', unknownLosses: 2 }),
    node([], { node: 'n4', last: NOON - HOUR }),
    node([], { node: 'n0', unhooked: NOON - HOUR }),
    ...[5, 6, 7, 8, 9, 10].map((n) => node([cpu()], { node: `n${n}` })),
  ].map((facts) => stateOf(facts, asked));
  assert.equal(
    completenessSentence(states),
    'complete: 1 of 11 nodes; 6 with holes that nothing explains: n5 (3 records), n6 (3 records), ' +
      'n7 (3 records), n8 (3 records), n9 (3 records), …; 2 with losses: n2 (3 records), ' +
      'n3 (an unknown number of records); 1 without a hook for a time: n0 (since 2026-11-18T10:06:40Z); ' +
      '1 silent: n4 (since 2026-11-18T10:06:40Z); ' +
      'rules withheld 3 records',
  );
  assert.equal(
    completenessSentence(states.slice(0, 1)),
    'complete: 1 of 1 node; rules withheld 3 records',
  );
});
