import { carries, effect, entry, event, journalOf, PLACE } from './scene.ts';

const HOST = { 'host.name': 'node', 'os.type': 'linux' };
const { 'k8s.container.name': _, ...UNNAMED } = PLACE;

/** A session of alice, with an effect on the host, and one that she began as somebody else. */
const ALICE = [
  entry(10, carries('id-alice')),
  effect(20, 10),
  effect(30, 20, HOST),
  entry(40, carries('id-impersonated')),
];
/** Each has an effect that nobody is named for. */
const OTHERS = [
  entry(50, carries('id-bob')),
  entry(51, carries('id-of-another-pod')),
  effect(61, 51),
  entry(52, carries('id-refused')),
  effect(62, 52),
  entry(53, carries('id-of-two')),
  effect(63, 53),
  entry(54, carries('id-unknown')),
  effect(64, 54),
  entry(55, carries('id-unnamed'), UNNAMED),
  effect(65, 55),
  entry(56, {}),
  effect(66, 56),
];

/** The lines of a journal with exec sessions of several users. */
export const JOURNAL = journalOf(...ALICE, ...OTHERS);
/** The ids of what alice caused, by time. */
export const OF_ALICE = ALICE.map(({ id }) => String(id));

/** The lines of the audit log about these sessions. */
export const AUDIT_LOG = [
  event({ id: 'id-alice', stage: 'RequestReceived' }),
  event({ id: 'id-alice' }),
  event({ id: 'id-impersonated', as: 'admin' }),
  event({ id: 'id-bob', user: 'bob' }),
  event({ id: 'id-of-another-pod', pod: 'cart-1' }),
  event({ id: 'id-refused', code: 403 }),
  event({ id: 'id-of-two' }),
  event({ id: 'id-of-two', user: 'bob' }),
  event({ id: 'id-unnamed' }),
  event({ id: 'id-without-a-record' }),
];

/** The short ids that begin the lines of a tree, in order. */
export function shortIds(tree: string): string[] {
  return Array.from(tree.matchAll(/^([0-9a-f]{8}) /gm), ([, id = '']) => id).toSorted();
}
