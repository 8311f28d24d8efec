import { execId } from '../../../check/craft.ts';
import { carries, effect, entry, event, journalOf, PLACE } from './scene.ts';

const HOST = { 'host.name': 'node', 'os.type': 'linux' };
const { 'k8s.container.name': _, ...UNNAMED } = PLACE;

/** A session of alice, with an effect on the host, and one that she began as somebody else. */
const ALICE = [
  entry(10, carries('id-alice')),
  effect(20, 10),
  effect(30, 20, HOST),
  entry(40, carries('id-impersonated')),
  // A session of bob within that of alice, who caused it.
  entry(45, { ...carries('id-nested'), parent: execId(20, 120) }),
  effect(47, 45),
];
/** Sessions of others; of what most of them caused, nobody is named. */
const OTHERS = [
  entry(50, carries('id-bob')),
  entry(51, carries('id-of-another-pod')),
  entry(52, carries('id-refused')),
  entry(53, carries('id-of-two')),
  entry(54, carries('id-unknown')),
  entry(55, carries('id-unnamed'), UNNAMED),
  entry(56, {}),
  entry(57, { 'vcml.authority.type': 'probe', 'vcml.authority.id': 'liveness' }),
  ...[51, 52, 53, 54, 55, 56].map((at) => effect(at + 10, at)),
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
  event({ id: 'id-nested', user: 'bob' }),
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
