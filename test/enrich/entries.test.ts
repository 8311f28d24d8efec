import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { bedOf, HOST_MNT, idOf, type Spot } from './bed.ts';
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
  bed.mkdir(50n, '/system.slice/containerd.service');
  bed.mkdir(60n, podPath(A));
  const snap = { cgroup: 50n, mnt: 5 };
  const init = { cgroup: 60n, mnt: 5 };
  const inside = { cgroup: 60n, mnt: 7 };
  const entry = (...args: Parameters<typeof bed.placeOf>) => entryOf(bed.placeOf(...args));
  equal(entry(11, init, snap, 10), 'host');
  equal(entry(12, init, init, 11), 'host', 'runc executes itself again');
  equal(entry(13, inside, init, 12), 'start');
  equal(entry(14, init, snap, 10), 'host');
  equal(entry(15, inside, init, 14), 'exec');
  equal(entry(16, inside, inside, 15), 'descendant');
});

test('the mount namespace of a runtime says nothing once its number is that of another one', () => {
  const bed = bedOf();
  bed.mkdir(50n, '/system.slice/containerd.service');
  bed.mkdir(60n, podPath(A));
  equal(entryOf(bed.placeOf(11, { cgroup: 60n, mnt: 5 }, { cgroup: 50n, mnt: 5 }, 10)), 'host');
  bed.mkdir(61n, podPath(B));
  const next = { cgroup: 61n, mnt: 5 };
  equal(entryOf(bed.placeOf(12, next, RUNTIME, 10)), 'start');
  equal(entryOf(bed.placeOf(13, next, next, 12)), 'descendant');
  equal(entryOf(bed.placeOf(14, { cgroup: 61n, mnt: 6 }, next, 13)), 'descendant');
});

test('an exec belongs to its container although nobody knows any more where its cause was', () => {
  const bed = bedOf();
  bed.mkdir(60n, podPath(A));
  bed.mkdir(61n, podPath(B));
  const unknown = 999n;
  for (const mnt of [7, 8])
    equal(entryOf(bed.place({ cgroup: 60n, mnt: 7 }, { cgroup: unknown, mnt })), 'descendant');
  const init = { cgroup: 60n, mnt: HOST_MNT };
  equal(entryOf(bed.place(init, { cgroup: unknown, mnt: 7 })), 'descendant');
  // The mount namespace of the host is outside of every container.
  const host = { cgroup: unknown, mnt: HOST_MNT };
  equal(entryOf(bed.place(init, host)), 'host');
  equal(entryOf(bed.place({ cgroup: 60n, mnt: 7 }, host)), 'start');
  // What is known is elsewhere.
  equal(entryOf(bed.place({ cgroup: 60n, mnt: 7 }, { cgroup: 61n, mnt: 8 })), 'exec');
});

test('a host process in a container’s mount namespace does not make it the host’s', () => {
  const bed = bedOf();
  bed.mkdir(50n, '/system.slice/containerd.service');
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
  inTable(second, 60n, podPath(A));
  second.mkdir(61n, podPath(B));
  equal(entryOf(second.place(inside, RUNTIME)), 'exec');
  equal(entryOf(second.place({ cgroup: 61n, mnt: 7 }, RUNTIME)), 'start');
});

/** Lets the kernel side's table alone know a cgroup. */
function inTable({ names }: ReturnType<typeof bedOf>, cgroup: bigint, path: string): void {
  const parts = path.slice(1).split('/');
  const idAt = (level: number) =>
    level < 0 ? 1n : cgroup + 1_000_000n * BigInt(parts.length - 1 - level);
  for (const [level, name] of parts.entries())
    names.set(`0:${idAt(level)}`, { parent: idAt(level - 1), name, maker: 'privileged' });
}

/** Other containers that start and end, more than are remembered. */
function others(bed: ReturnType<typeof bedOf>, count = 6000): void {
  for (let n = 0; n < count; n++) {
    const cgroup = BigInt(1000 + n);
    bed.mkdir(cgroup, podPath(idOf(`other ${n}`)));
    equal(entryOf(bed.place({ cgroup, mnt: 8 }, RUNTIME)), 'start');
    bed.rmdir(cgroup);
  }
}

test('a container that exists has started, however many others start and end', () => {
  const bed = bedOf();
  bed.mkdir(60n, podPath(A));
  const inside = { cgroup: 60n, mnt: 7 };
  equal(entryOf(bed.place(inside, RUNTIME)), 'start');
  others(bed);
  equal(entryOf(bed.place(inside, RUNTIME)), 'exec');
  deepEqual(bed.enricher.started, [`${UID}/${A}`]);
});

test('of many containers, those that exist stay in a checkpoint', () => {
  const bed = bedOf();
  bed.mkdir(60n, podPath(A));
  equal(entryOf(bed.place({ cgroup: 60n, mnt: 7 }, RUNTIME)), 'start');
  // Of these, the events were lost.
  for (let n = 0n; n < 5000n; n++) {
    inTable(bed, 1000n + n, `/docker-${idOf(`lost ${n}`)}.scope`);
    bed.place({ cgroup: 1000n + n, mnt: 8 }, RUNTIME);
  }
  equal(bed.enricher.started.includes(`${UID}/${A}`), true);
});

test('a container that is started again under its id has another start', () => {
  for (const v1 of [false, true]) {
    const bed = bedOf({ v1 });
    const make = (cgroup: bigint) => {
      bed.mkdir(cgroup, `/docker/${A}`, v1 ? 4 : 0);
      if (v1) bed.mkdir(cgroup + 1n, `/docker/${A}`, 8);
      const spot = v1 ? { cgroup: 1n, memory: cgroup, pids: cgroup + 1n } : { cgroup };
      return { ...spot, mnt: 7 };
    };
    const entry = (at: Spot) => /"vcml.entry":"(\w+)"/.exec(bed.place(at, RUNTIME).attributes)?.[1];
    const first = make(60n);
    deepEqual([entry(first), entry(first)], ['start', 'exec']);
    for (const [id, hierarchy] of v1
      ? ([
          [60n, 4],
          [61n, 8],
        ] as const)
      : ([[60n, 0]] as const))
      bed.rmdir(id, hierarchy);
    equal(entry(first), 'exec', 'it ended, and its last exec is late');
    const second = make(70n);
    deepEqual([entry(second), entry(second)], ['start', 'exec']);
  }
});

test('a run that reads the start of a container again knows that it has started', () => {
  const bed = bedOf({ started: [`${UID}/${A}`] });
  const inside = { cgroup: 60n, mnt: 7 };
  // The last run recorded these, and was killed before the kernel side heard of it.
  bed.mkdir(60n, podPath(A));
  bed.place(inside, RUNTIME);
  equal(entryOf(bed.place(inside, RUNTIME)), 'exec');
});

test('a start that may be lost is claimed for the first process only', () => {
  const bed = bedOf();
  bed.mkdir(60n, podPath(A));
  bed.mkdir(70n, podPath(B));
  const at = (cgroup: bigint) => ({ cgroup, mnt: 7 });
  const entry = (cgroup: bigint, vpid: number) => entryOf(bed.place(at(cgroup), RUNTIME, vpid));
  bed.enricher.noteLosses(true);
  bed.enricher.noteLosses(false);
  deepEqual([entry(60n, 9), entry(60n, 1)], ['exec', 'exec']);
  deepEqual([entry(70n, 1), entry(70n, 9)], ['start', 'exec']);
  // Its cgroup is made after the loss.
  bed.rmdir(70n);
  bed.mkdir(71n, podPath(B));
  equal(entry(71n, 9), 'start');
});

test('while execs are lost, what appears may have lost its start, too', () => {
  const bed = bedOf();
  bed.enricher.noteLosses(true);
  bed.mkdir(60n, podPath(A));
  equal(entryOf(bed.place({ cgroup: 60n, mnt: 7 }, RUNTIME, 9)), 'exec');
});
