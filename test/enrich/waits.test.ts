import { equal } from 'node:assert/strict';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';
import { bedOf, environmentOf, HOST_MNT, procWith } from './bed.ts';
import { A, B, containerOf, HOST, podOf, podPath, stateOf, UID } from './craft.ts';

test('a record waits until its container’s metadata is complete, and no longer than configured', () => {
  const bed = bedOf({ waitMs: 1000 });
  bed.states.set(A, stateOf());
  bed.mkdir(60n, podPath(A));
  const at = { cgroup: 60n, mnt: 7 };
  equal(bed.wait(HOST, 10, 10), 0);
  equal(bed.wait({ cgroup: 60n, mnt: HOST_MNT }, 10, 10), 0, 'the runtime’s own');
  equal(bed.wait(at, 10, 10), 1000);
  equal(bed.wait(at, 10, 10.4), 600);
  // Others of the same container have the same time.
  equal(bed.wait(at, 10.3, 10.9), 100);
  bed.pods.set(UID, podOf(UID, 'cart-1'));
  equal(bed.wait(at, 10, 10.95), 0);
  equal(bed.place(at, undefined).attributes, ',"vcml.metadata.state":"complete"');
});

test('a container is waited for once', () => {
  const bed = bedOf({ waitMs: 1000 });
  bed.mkdir(60n, podPath(A));
  const at = { cgroup: 60n, mnt: 7 };
  equal(bed.wait(at, 10, 10), 1000);
  equal(bed.wait(at, 10, 11), 0);
  equal(bed.wait(at, 20, 20), 0);
  // The next container's first event is that old too: delays do not add up.
  bed.mkdir(61n, podPath(B));
  equal(bed.wait({ cgroup: 61n, mnt: 7 }, 10.2, 11), 200);
});

test('a record follows the reading of the runtime’s files, and not where its container is known', () => {
  const bed = bedOf({ runtimeOnly: true });
  const at = { cgroup: 60n, mnt: 7 };
  bed.reading.set(A, Promise.resolve());
  bed.mkdir(60n, podPath(A));
  equal(bed.readingOf(HOST), undefined);
  equal(bed.readingOf(at), bed.reading.get(A));
  equal(bed.place(at, undefined).attributes, ',"vcml.metadata.state":"partial"');
  bed.states.set(A, stateOf());
  bed.enricher.stateKnown(A);
  equal(bed.readingOf(at), undefined);
  equal(bed.place(at, undefined).attributes, ',"vcml.metadata.state":"complete"');
});

test('a record with a request follows that reading where the pod alone is known', () => {
  const bed = bedOf();
  const at = { cgroup: 60n, mnt: 7 };
  bed.reading.set(A, Promise.resolve());
  bed.pods.set(UID, podOf(UID, 'cart-1', [containerOf({ id: A })]));
  bed.mkdir(60n, podPath(A));
  const request = environmentOf([['REQUEST_ID', 'a']]);
  const outside = { cgroup: 1n, mnt: 1 };
  equal(bed.readingOf(at, environmentOf([['SSH_CONNECTION', 'a']]), outside), undefined);
  equal(bed.readingOf(at, request, outside), bed.reading.get(A));
  // A descendant has the variable as well, where the environment of every exec is read.
  equal(bed.readingOf(at, request, at), undefined);
  equal(bed.readingOf(at, request), undefined);
  bed.states.set(A, stateOf());
  bed.enricher.stateKnown(A);
  equal(bed.readingOf(at, request, outside), undefined);
});

test('no record waits if the source is unreachable or not configured, or the container is plain', () => {
  const at = { cgroup: 60n, mnt: 7 };
  const unreachable = bedOf({ waitMs: 1000, state: 'unreachable' });
  unreachable.mkdir(60n, podPath(A));
  equal(unreachable.wait(at, 10, 10), 0);
  const never = bedOf({ waitMs: 0 });
  never.mkdir(60n, podPath(A));
  equal(never.wait(at, 10, 10), 0);
  const plain = bedOf({ waitMs: 1000 });
  plain.mkdir(60n, `/docker/${A}`);
  equal(plain.wait(at, 10, 10), 0);
});

test('records wait for a source that has not answered yet', () => {
  const bed = bedOf({ waitMs: 1000, state: 'starting' });
  bed.mkdir(60n, podPath(A));
  equal(bed.wait({ cgroup: 60n, mnt: 7 }, 10, 10), 5000);
  equal(bed.wait({ cgroup: 60n, mnt: 7 }, 14, 14), 1000);
  equal(bed.wait({ cgroup: 60n, mnt: 7 }, 15, 15), 0);
});

test('records from before the agent’s start wait, too', () => {
  const bed = bedOf({ waitMs: 1000 });
  bed.mkdir(60n, podPath(A));
  equal(bed.wait({ cgroup: 60n, mnt: 7 }, 10, 500), 1000);
  equal(bed.wait({ cgroup: 60n, mnt: 7 }, 10, 501), 0);
});

test('a record waits while its cgroup is searched for, and then has its place', async (t) => {
  const root = temporaryFolder(t);
  // More than are looked at in one go.
  for (let n = 0; n < 300; n++) mkdirSync(join(root, `${n}`));
  const proc = procWith('0::/\n', `30 1 0:1 / ${root} rw - cgroup2 none rw\n`);
  const bed = bedOf({ proc });
  await bed.starting;
  mkdirSync(join(root, 'late.service'));
  const at = { cgroup: statSync(join(root, 'late.service'), { bigint: true }).ino, mnt: HOST_MNT };
  equal(bed.place(at, undefined).cgroup, undefined);
  const waits = () => bed.wait(at, 10, 10) > 0;
  // It searches again after a pause.
  await until('the search', () => waits() || bed.place(at, undefined).cgroup !== undefined);
  while (waits()) await turn();
  equal(bed.place(at, undefined).cgroup, '0::/late.service');
});
