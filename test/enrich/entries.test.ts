import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { bedOf, HOST_MNT, type Spot } from './bed.ts';
import { A, B, entryOf, podPath, RUNTIME, UID } from './craft.ts';

test('the first entry is the start, later entries are execs, and descendants are not entries', () => {
  const bed = bedOf();
  bed.mkdir(60n, podPath(A));
  const init = { cgroup: 60n, mnt: HOST_MNT };
  const inside = { cgroup: 60n, mnt: 7 };
  const steps: readonly [at: Spot, from: Spot | undefined, entry: string][] = [
    [init, RUNTIME, 'host'],
    [inside, init, 'start'],
    [inside, inside, 'descendant'],
    [init, RUNTIME, 'host'],
    [inside, init, 'exec'],
    [inside, RUNTIME, 'exec'],
    [inside, inside, 'descendant'],
    [{ cgroup: 60n, mnt: 8 }, inside, 'descendant'],
    // out into the host's mount namespace, and what is run there
    [init, inside, 'descendant'],
    [init, init, 'descendant'],
  ];
  for (const [at, from, entry] of steps) equal(entryOf(bed.place(at, from)), entry);
});

test('what a runtime executes one after the other on its way into a container is outside', () => {
  const bed = bedOf();
  bed.mkdir(60n, podPath(A));
  const init = { cgroup: 60n, mnt: HOST_MNT };
  const inside = { cgroup: 60n, mnt: 7 };
  const entry = (...args: Parameters<typeof bed.placeOf>) => entryOf(bed.placeOf(...args));
  equal(entry(11, init, RUNTIME, 10), 'host');
  equal(entry(12, init, init, 11), 'host', 'runc executes itself again');
  equal(entry(13, init, init, 12), 'host');
  equal(entry(14, inside, init, 13), 'start');
  // The container's own way into the mount namespace of the host, and what it executes there.
  equal(entry(15, init, inside, 14), 'descendant');
  equal(entry(16, init, init, 15), 'descendant');
  // A cause that is not known.
  equal(entryOf(bed.place(init, undefined)), 'descendant');
});

test('an exec without a known cause is not an entry', () => {
  const bed = bedOf();
  bed.mkdir(60n, podPath(A));
  equal(entryOf(bed.place({ cgroup: 60n, mnt: 7 }, undefined)), 'descendant');
});

test('an exec whose cause predates the hook is an entry if the cause’s place is known', () => {
  const bed = bedOf();
  bed.mkdir(60n, podPath(A));
  const inside = { cgroup: 60n, mnt: 7 };
  equal(entryOf(bed.placeOfForked(inside, inside)), 'descendant');
  equal(entryOf(bed.placeOfForked(inside, RUNTIME)), 'start');
  equal(entryOf(bed.placeOfForked(inside, RUNTIME)), 'exec');
  equal(entryOf(bed.placeOfForked(inside, undefined)), 'descendant');
});

test('an exec from another container is an entry, and one from a nested cgroup is not', () => {
  const bed = bedOf();
  bed.mkdir(60n, podPath(A));
  bed.mkdir(61n, `${podPath(A)}/system.slice/a.service`);
  bed.mkdir(70n, podPath(B));
  const inside = { cgroup: 60n, mnt: 7 };
  const nested = { cgroup: 61n, mnt: 7 };
  equal(entryOf(bed.place(inside, { cgroup: 70n, mnt: 8 })), 'start');
  equal(entryOf(bed.place(nested, inside)), 'descendant');
  equal(entryOf(bed.place(inside, nested)), 'descendant');
  bed.rmdir(61n);
  equal(entryOf(bed.place(inside, nested)), 'descendant', 'also when that cgroup is gone');
});

test('a runtime in its own mount namespace is outside', () => {
  const bed = bedOf();
  bed.mkdir(60n, podPath(A));
  const snap = { cgroup: 50n, mnt: 5 };
  const init = { cgroup: 60n, mnt: 5 };
  equal(entryOf(bed.place(init, snap)), 'host');
  equal(entryOf(bed.place({ cgroup: 60n, mnt: 7 }, init)), 'start');
  equal(entryOf(bed.place(init, snap)), 'host');
  equal(entryOf(bed.place({ cgroup: 60n, mnt: 7 }, init)), 'exec');
});

test('a host process in a container’s mount namespace does not make it the host’s', () => {
  const bed = bedOf();
  bed.mkdir(60n, podPath(A));
  const inside = { cgroup: 60n, mnt: 7 };
  equal(entryOf(bed.place(inside, RUNTIME)), 'start');
  equal(entryOf(bed.place(inside, { cgroup: 50n, mnt: 7 })), 'host');
  equal(entryOf(bed.place(inside, RUNTIME)), 'exec');
});

test('a restarted agent knows which containers have had their first entry', () => {
  const first = bedOf();
  first.mkdir(60n, podPath(A));
  first.mkdir(61n, podPath(B));
  const inside = { cgroup: 60n, mnt: 7 };
  equal(entryOf(first.place(inside, RUNTIME)), 'start');
  const { started } = first.enricher;
  deepEqual(started, [`${UID}/${A}`]);

  const second = bedOf({ started });
  second.mkdir(60n, podPath(A));
  second.mkdir(61n, podPath(B));
  equal(entryOf(second.place(inside, RUNTIME)), 'exec');
  equal(entryOf(second.place({ cgroup: 61n, mnt: 7 }, RUNTIME)), 'start');
});
