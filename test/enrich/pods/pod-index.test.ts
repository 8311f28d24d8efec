import { deepEqual, equal, ok } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { Pod } from '../../../agent/enrich/pods/pod.ts';
import { PodIndex } from '../../../agent/enrich/pods/pod-index.ts';
import { bytesInUse } from '../../support/memory.ts';
import { containerOf, HASH, OTHER_UID, podOf, UID } from '../craft.ts';

/** An index, the uids that changed, and what it reports. */
function indexed() {
  const changed: string[] = [];
  const reduced: string[] = [];
  const index = new PodIndex({
    onPod: (uid) => changed.push(uid),
    report: (one) => reduced.push('pod' in one ? one.pod : one.event),
  });
  return { index, changed, reduced };
}

const named = (index: PodIndex, uid: string) => index.candidates(uid).map(({ name }) => name);
const only = (index: PodIndex, uid: string) => index.candidates(uid)[0];

/** A pod of about 100 KiB. */
function largePod(name: string, more: Partial<Pod> = {}): Pod {
  const containers = Array.from({ length: 400 }, (_, n) => containerOf({ name: `c-${n}` }));
  return { ...podOf(randomUUID(), name, containers), ...more };
}

test('a list replaces the pods once it has ended', () => {
  const { index } = indexed();
  const [gone, stays] = [podOf(UID, 'gone'), podOf(OTHER_UID, 'stays')];
  for (const pod of [gone, stays]) index.set(pod);
  const listing = index.replace();
  listing.add({ ...stays, name: 'changed' });
  deepEqual(named(index, OTHER_UID), ['changed']);
  listing.end();
  deepEqual(named(index, UID), ['gone'], 'it is remembered');
  index.replace(); // a list that breaks
  index.replace().end();
  deepEqual(named(index, OTHER_UID), ['changed']);
});

test('pods that have ended make room, however many there are', () => {
  const { index, reduced } = indexed();
  const before = bytesInUse();
  for (let n = 0; n < 1000; n++) index.set(largePod(`over-${n}`, { isOver: true }));
  const pod = podOf(UID, 'cart-1');
  index.set(pod);
  deepEqual(only(index, UID), pod);
  deepEqual(reduced, []);
  ok(bytesInUse() - before < 8 << 20, `${bytesInUse() - before} bytes`);
});

test('a pod that does not fit is reported once it is there, and the others stay', () => {
  const { index, reduced, changed } = indexed();
  const pod = podOf(UID, 'cart-1');
  index.set(pod);
  const large = Array.from({ length: 300 }, (_, n) => largePod(`large-${n}`));
  const before = bytesInUse();
  for (const one of large) index.set(one);
  ok(bytesInUse() - before < 4 << 20);
  deepEqual(only(index, UID), pod);
  ok(only(index, large[0]?.uid ?? '') !== undefined);
  equal(only(index, large[299]?.uid ?? ''), undefined);
  ok(reduced.includes('shop/large-299') && !reduced.includes('shop/large-0'));
  equal(changed.length, 301);

  // A pod that was there before it grew keeps what was known of it.
  index.set({ ...largePod('cart-1'), uid: UID });
  deepEqual(only(index, UID), pod);
  for (const one of large) index.delete(one);
  index.set(large[299] as Pod);
  deepEqual(named(index, large[299]?.uid ?? ''), ['large-299']);
});

test('a pod that is kept in part is reported when that begins', () => {
  const { index, reduced } = indexed();
  const pod = podOf(UID, 'cart-1');
  for (const isReduced of [false, true, true, false, true]) index.set({ ...pod, isReduced });
  deepEqual(reduced, ['shop/cart-1', 'shop/cart-1']);
});

test('every pod that claims to mirror a static pod is a candidate', () => {
  const { index, changed } = indexed();
  index.set({ ...podOf('u1', 'etcd-node-1'), mirrors: HASH });
  index.set({ ...podOf('u2', 'forged'), mirrors: HASH });
  deepEqual(named(index, HASH), ['etcd-node-1', 'forged']);
  deepEqual(changed, [HASH, HASH]);
  index.delete({ ...podOf('u2', 'forged'), mirrors: HASH });
  deepEqual(named(index, HASH), ['etcd-node-1', 'forged'], 'records of it may still follow');
});

test('no claim takes the place of the pod that has the uid', () => {
  const { index } = indexed();
  index.set({ ...podOf('u1', 'forged'), mirrors: UID });
  index.set(podOf(UID, 'cart-1'));
  deepEqual(named(index, UID), ['cart-1']);
  index.delete(podOf(UID, 'cart-1'));
  deepEqual(named(index, UID), ['cart-1']);
});
