import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { PodIndex } from '../../../agent/enrich/pods/pod-index.ts';
import { containerOf, HASH, podOf, UID } from '../craft.ts';

const named = (index: PodIndex, uid: string) => index.candidates(uid).map(({ name }) => name);

test('every pod that claims to mirror a static pod is a candidate', () => {
  const changed: string[] = [];
  const index = new PodIndex((uid) => changed.push(uid));
  index.set({ ...podOf('u1', 'etcd-node-1'), mirrors: HASH });
  index.set({ ...podOf('u2', 'forged'), mirrors: HASH });
  deepEqual(named(index, HASH), ['etcd-node-1', 'forged']);
  deepEqual(changed, [HASH, HASH]);
  index.delete({ ...podOf('u2', 'forged'), mirrors: HASH });
  deepEqual(named(index, HASH), ['etcd-node-1', 'forged'], 'records of it may still follow');
});

test('no claim takes the place of the pod that has the uid', () => {
  const index = new PodIndex(() => {});
  index.set({ ...podOf('u1', 'forged'), mirrors: UID });
  index.set(podOf(UID, 'cart-1'));
  deepEqual(named(index, UID), ['cart-1']);
  index.delete(podOf(UID, 'cart-1'));
  deepEqual(named(index, UID), ['cart-1']);
});

test('deleted pods are kept in bounds, however many containers they have', () => {
  const index = new PodIndex(() => {});
  const containers = Array.from({ length: 64 }, () => containerOf());
  for (let n = 0; n < 200; n += 1) index.set(podOf(`u${n}`, `p${n}`, containers));
  index.replace([]);
  const kept = Array.from({ length: 200 }, (_, n) => index.candidates(`u${n}`)).flat();
  equal(kept.length, 64);
  equal(kept.at(-1)?.name, 'p199', 'those deleted last');
});
