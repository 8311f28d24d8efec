import { deepEqual, equal } from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CgroupMaker, Place } from '../../record/types.ts';
import { bedOf, environmentOf, HOST_MNT, procWith, type Spot } from './bed.ts';
import { A, attributesOf, authorityOf, HOST, podPath, RUNTIME } from './craft.ts';

const SYSTEMD: Spot = { cgroup: 40n, mnt: HOST_MNT };
const SSH: Spot = { cgroup: 41n, mnt: HOST_MNT };
const CRON: Spot = { cgroup: 42n, mnt: HOST_MNT };
const SESSION: Spot = { cgroup: 43n, mnt: HOST_MNT };
const UNITS = [
  [SYSTEMD, '/init.scope'],
  [SSH, '/system.slice/ssh.service'],
  [CRON, '/system.slice/cron.service'],
  [SESSION, '/user.slice/user-1000.slice/session-3.scope'],
] as const;

type Bed = ReturnType<typeof bedOf>;

/** A host with systemd, on which these units were just made. */
function bedWithUnits(options: Parameters<typeof bedOf>[0] = {}): Bed {
  const bed = bedOf(options);
  for (const [{ cgroup }, path] of UNITS) bed.mkdir(cgroup, path);
  return bed;
}

function unitAndEntry(place: Place): (string | undefined)[] {
  const attributes = attributesOf(place);
  return [attributes['vcml.unit'], attributes['vcml.entry']] as (string | undefined)[];
}

const PATHS: readonly (readonly [path: string, unit: string | undefined])[] = [
  ['/init.scope', 'init.scope'],
  ['/system.slice/ssh.service', 'ssh.service'],
  ['/system.slice/ssh.service/a/b', 'ssh.service'],
  ['/system.slice/system-getty.slice/getty@tty1.service', 'getty@tty1.service'],
  ['/user.slice/user-1000.slice/session-3.scope', 'session-3.scope'],
  ['/user.slice/user-1000.slice/user@1000.service/app.slice/ssh.service', 'user@1000.service'],
  ['/user.slice/user-1000.slice/user@1000.service/session-3.scope', 'user@1000.service'],
  ['/machine.slice/machine-a.scope/payload/system.slice/ssh.service', 'machine-a.scope'],
  ['/machine.slice/systemd-nspawn@a.service/payload', 'systemd-nspawn@a.service'],
  ['/system.slice/system-dbus\\\\x2d.slice/dbus\\\\x2d1.service', 'dbus\\\\x2d1.service'],
  ['/system.slice', undefined],
  ['/a.service.d/b.scopes', undefined],
  ['/.service/.scope', undefined],
  ['/init.scope2', undefined],
];

test('a unit is the first service or scope in the path of a cgroup', () => {
  for (const [path, unit] of PATHS) {
    const bed = bedOf();
    bed.mkdir(60n, path);
    const at = { cgroup: 60n, mnt: HOST_MNT };
    deepEqual(unitAndEntry(bed.place(at, at)), [unit, undefined], path);
  }
});

test('containers have no unit, also while their runtime is on its way in', () => {
  for (const path of [
    `/system.slice/docker-${A}.scope`,
    `/system.slice/docker-${A}.scope/system.slice/ssh.service`,
    `/system.slice/web.service/libpod-payload-${A}`,
    podPath(A),
  ]) {
    const bed = bedWithUnits();
    bed.mkdir(60n, path);
    for (const mnt of [HOST_MNT, 7]) {
      const { 'vcml.unit': unit } = attributesOf(bed.place({ cgroup: 60n, mnt }, SSH));
      equal(unit, undefined, path);
    }
  }
});

test('an exec whose cause was in another unit is an entry, and its descendants are none', () => {
  const bed = bedWithUnits();
  const steps: readonly [at: Spot, from: Spot | undefined, entry: string | undefined][] = [
    [SSH, SYSTEMD, 'start'],
    [SSH, SSH, undefined],
    [SSH, SYSTEMD, 'exec'],
    [{ ...SSH, mnt: 9 }, SSH, undefined],
    [CRON, SSH, 'start'],
    [CRON, HOST, 'exec'],
    [SESSION, SSH, 'session'],
    [SESSION, SESSION, undefined],
    [SESSION, SSH, 'session'],
    // Its place is unknown.
    [CRON, undefined, undefined],
    // It leaves its unit for a cgroup that is none.
    [HOST, SSH, undefined],
  ];
  for (const [n, [at, from, entry]] of steps.entries())
    equal(unitAndEntry(bed.place(at, from))[1], entry, `step ${n}`);
});

test('an exec whose cause predates the hook is an entry if the cause’s place was read', () => {
  const bed = bedWithUnits();
  equal(unitAndEntry(bed.placeOfForked(SSH, undefined))[1], undefined);
  equal(unitAndEntry(bed.placeOfForked(SSH, SSH))[1], undefined);
  equal(unitAndEntry(bed.placeOfForked(SSH, SYSTEMD))[1], 'start');
});

test('an exec is no entry if nobody knows any more where its cause was', () => {
  const bed = bedWithUnits();
  for (const mnt of [HOST_MNT, 7])
    equal(unitAndEntry(bed.place(SSH, { cgroup: 999n, mnt }))[1], undefined);
  // The cgroup of the exec itself is unknown.
  deepEqual(unitAndEntry(bed.place({ cgroup: 999n, mnt: HOST_MNT }, SSH)), [undefined, undefined]);
  // A unit that is gone is still known.
  bed.rmdir(CRON.cgroup);
  equal(unitAndEntry(bed.place(SSH, CRON))[1], 'start');
});

test('what leaves a container for a unit enters the unit', () => {
  const bed = bedWithUnits();
  bed.mkdir(60n, podPath(A));
  equal(unitAndEntry(bed.place(SSH, { cgroup: 60n, mnt: 7 }))[1], 'start');
  equal(unitAndEntry(bed.place(SSH, { cgroup: 60n, mnt: 7 }))[1], 'exec');
});

test('nested units of a user’s own manager are one place', () => {
  const bed = bedOf();
  const manager = '/user.slice/user-1000.slice/user@1000.service';
  const cgroups = [manager, `${manager}/app.slice/a.service`, `${manager}/app.slice/b.scope`];
  for (const [n, path] of cgroups.entries())
    bed.mkdir(60n + BigInt(n), path, 0, n === 0 ? 'privileged' : 'other');
  const [own, service, scope] = [60n, 61n, 62n].map((cgroup) => ({ cgroup, mnt: HOST_MNT }));
  for (const [id, parent, name, maker] of [
    [60n, 59n, 'user@1000.service', 'privileged'],
    [59n, 58n, 'user-1000.slice', 'privileged'],
    [58n, 1n, 'user.slice', 'privileged'],
    [63n, 60n, 'app.slice', 'other'],
    [61n, 63n, 'a.service', 'other'],
    [62n, 63n, 'b.scope', 'other'],
  ] as const)
    bed.names.set(`0:${id}`, { parent, name, maker });
  const place = (at: Spot | undefined, from: Spot | undefined) =>
    unitAndEntry(bed.place(at as Spot, from));
  deepEqual(place(service, own), ['user@1000.service', undefined]);
  deepEqual(place(scope, service), ['user@1000.service', undefined]);
  deepEqual(place(own, scope), ['user@1000.service', undefined]);
  deepEqual(place(scope, HOST), ['user@1000.service', 'start']);
});

for (const maker of ['other', 'privileged'] as const)
  test(`a name of a unit counts if a maker with privileges chose it: ${maker}`, () => {
    for (const above of ['/', '/delegated']) {
      const bed = bedOf();
      const forged = { cgroup: 70n, mnt: HOST_MNT };
      const path = `${above === '/' ? '' : above}/forged.service`;
      bed.names.set('0:69', { parent: 1n, name: 'delegated', maker });
      bed.names.set('0:70', { parent: above === '/' ? 1n : 69n, name: 'forged.service', maker });
      if (above !== '/') bed.mkdir(69n, above, 0, maker);
      bed.mkdir(70n, path, 0, maker);
      const expected =
        maker === 'privileged' ? ['forged.service', 'start'] : [undefined, undefined];
      const place = bed.place(forged, HOST);
      deepEqual(unitAndEntry(place), expected);
      equal(place.cgroup, `0::${path}`);
    }
  });

test('a cgroup that nobody vouches for has its path and no unit', () => {
  const bed = bedOf();
  bed.mkdir(70n, '/a/forged.service', 0, 'other');
  const place = bed.place({ cgroup: 70n, mnt: HOST_MNT }, HOST);
  equal(place.cgroup, '0::/a/forged.service');
  deepEqual(unitAndEntry(place), [undefined, undefined]);
});

test('a forged name starts and restarts no unit of the host', () => {
  const bed = bedWithUnits();
  equal(unitAndEntry(bed.place(SSH, SYSTEMD))[1], 'start');
  bed.mkdir(80n, '/system.slice/ssh.service', 0, 'other');
  equal(unitAndEntry(bed.place(SSH, SYSTEMD))[1], 'exec');
});

test('a unit that is stopped and started again has another start', () => {
  for (const v1 of [false, true]) {
    const bed = bedOf({ v1 });
    const make = (cgroup: bigint): Spot => {
      bed.mkdir(cgroup, '/system.slice/cron.service', v1 ? 4 : 0);
      if (v1) bed.mkdir(cgroup + 1n, '/system.slice/cron.service', 8);
      const spot = v1 ? { cgroup: 1n, memory: cgroup, pids: cgroup + 1n } : { cgroup };
      return { ...spot, mnt: HOST_MNT };
    };
    const from = v1 ? { ...HOST, memory: 1n, pids: 1n } : HOST;
    const entry = (at: Spot) => unitAndEntry(bed.place(at, from))[1];
    const first = make(60n);
    deepEqual([entry(first), entry(first)], ['start', 'exec']);
    bed.rmdir(60n, v1 ? 4 : 0);
    if (v1) bed.rmdir(61n, 8);
    equal(entry(first), 'exec', 'it ended, and its last exec is late');
    const second = make(70n);
    deepEqual([entry(second), entry(second)], ['start', 'exec']);
  }
});

test('a unit that gets a cgroup in another hierarchy has not started again', () => {
  const bed = bedOf({ v1: true });
  const at = { cgroup: 60n, memory: 1n, pids: 1n, mnt: HOST_MNT };
  const from = { ...HOST, memory: 1n, pids: 1n };
  const entry = (spot: Spot) => unitAndEntry(bed.place(spot, from))[1];
  bed.mkdir(61n, '/system.slice/cron.service', 8);
  bed.mkdir(60n, '/system.slice/cron.service');
  deepEqual([entry(at), entry(at)], ['start', 'exec']);
  bed.mkdir(62n, '/system.slice/cron.service', 4);
  equal(entry({ ...at, memory: 62n }), 'exec');
  // The events of its removal were lost.
  bed.mkdir(70n, '/system.slice/cron.service');
  equal(entry({ ...at, cgroup: 70n }), 'start');
});

test('a restarted agent knows which units have had their first entry', () => {
  const first = bedWithUnits();
  first.place(SSH, SYSTEMD);
  first.place(SESSION, SSH);
  deepEqual(first.enricher.started, ['/system.slice/ssh.service']);
  const second = bedWithUnits({ started: first.enricher.started });
  // The kernel side does not report their creation again.
  const third = bedOf({ started: first.enricher.started });
  for (const [{ cgroup }, path] of UNITS) inTable(third, cgroup, path);
  equal(unitAndEntry(third.place(SSH, SYSTEMD))[1], 'exec');
  equal(unitAndEntry(third.place(CRON, SYSTEMD))[1], 'start');
  equal(unitAndEntry(third.place(SESSION, SSH))[1], 'session');
  equal(unitAndEntry(second.place(SSH, SYSTEMD))[1], 'start', 'it was made again');
});

/** Lets the kernel side's table alone know a cgroup. */
function inTable({ names }: Bed, cgroup: bigint, path: string, maker: CgroupMaker = 'privileged') {
  const parts = path.slice(1).split('/');
  const idAt = (level: number) =>
    level < 0 ? 1n : cgroup + 1_000_000n * BigInt(parts.length - 1 - level);
  for (const [level, name] of parts.entries())
    names.set(`0:${idAt(level)}`, { parent: idAt(level - 1), name, maker });
}

test('units that exist at the start have started, unless a state of this version says otherwise', async () => {
  // A folder that is scanned as if it were a hierarchy of cgroups.
  const folder = procWith('0::/\n');
  mkdirSync(join(folder, 'tree/system.slice/old.service'), { recursive: true });
  const mount = `1 0 0:1 / ${join(folder, 'tree')} rw - cgroup2 cgroup2 rw\n`;
  const proc = procWith('0::/\n', mount);
  for (const [started, startedIsWhole, isStarted] of [
    [[], false, true],
    // 0.1.0 wrote it.
    [[A], true, true],
    [['/init.scope'], true, false],
    [['/init.scope', '/system.slice/old.service'], true, true],
  ] as const) {
    const bed = bedOf({ started, startedIsWhole, proc });
    await bed.starting;
    equal(bed.enricher.started.includes('/system.slice/old.service'), isStarted, `${started}`);
  }
});

test('many units that come and go leave those that exist, and little else', () => {
  const bed = bedWithUnits();
  bed.place(SSH, SYSTEMD);
  for (let n = 0n; n < 6000n; n++) {
    const at = { cgroup: 1000n + n, mnt: HOST_MNT };
    bed.mkdir(at.cgroup, `/system.slice/run-u${n}.service`);
    equal(unitAndEntry(bed.place(at, SYSTEMD))[1], 'start');
    bed.rmdir(at.cgroup);
  }
  equal(unitAndEntry(bed.place(SSH, SYSTEMD))[1], 'exec');
  deepEqual(bed.enricher.started, ['/system.slice/ssh.service']);
});

test('an entry of a unit has the unit as its authority', () => {
  const bed = bedWithUnits();
  deepEqual(authorityOf(bed.place(SSH, SYSTEMD)), { type: 'unit', id: 'ssh.service' });
  deepEqual(authorityOf(bed.place(SSH, SYSTEMD)), { type: 'unit', id: 'ssh.service' });
  deepEqual(authorityOf(bed.place(SSH, SSH)), {});
  deepEqual(authorityOf(bed.place(HOST, SSH)), {});
});

const LOGIN = { type: 'login', id: '1000' };
const CONNECTION = '192.0.2.7 52342 198.51.100.1 22';
const LOGINS: readonly (readonly [
  what: string,
  environment: ReturnType<typeof environmentOf> | undefined,
  remote: string | undefined,
])[] = [
  ['an address', environmentOf([['SSH_CONNECTION', CONNECTION]]), '192.0.2.7'],
  ['of version 6', environmentOf([['SSH_CONNECTION', '2001:db8::7 1 ::1 22']]), '2001:db8::7'],
  ['no environment', undefined, undefined],
  ['no such variable', environmentOf([['OTHER', CONNECTION]]), undefined],
  ['a name', environmentOf([['SSH_CONNECTION', 'evil.example 1 ::1 22']]), undefined],
  ['nothing', environmentOf([['SSH_CONNECTION', '']]), undefined],
  [
    'twice',
    environmentOf([
      ['SSH_CONNECTION', CONNECTION],
      ['SSH_CONNECTION', '::1'],
    ]),
    undefined,
  ],
  ['perhaps twice', environmentOf([['SSH_CONNECTION', CONNECTION]], true), undefined],
];
for (const [what, environment, remote] of LOGINS)
  test(`an entry of a session has the login, and from where it is if that is known: ${what}`, () => {
    const bed = bedWithUnits();
    const place = bed.placeWith(SESSION, SSH, {
      loginUid: 1000,
      ...(environment && { environment }),
    });
    const from = remote === undefined ? {} : { remote, claimed: true };
    deepEqual(authorityOf(place), { ...LOGIN, ...from });
  });

test('a login uid is named in a session alone, and a session without one is a unit', () => {
  const bed = bedWithUnits();
  const environment = environmentOf([['SSH_CONNECTION', CONNECTION]]);
  deepEqual(authorityOf(bed.placeWith(CRON, SSH, { loginUid: 1000, environment })), {
    type: 'unit',
    id: 'cron.service',
  });
  deepEqual(authorityOf(bed.placeWith(SESSION, SSH, { loginUid: undefined, environment })), {
    type: 'unit',
    id: 'session-3.scope',
  });
  // A service may have the name of a session's scope, but not its place.
  bed.mkdir(60n, '/system.slice/session-9.scope');
  const place = bed.placeWith({ cgroup: 60n, mnt: HOST_MNT }, SSH, { loginUid: 1000 });
  deepEqual(authorityOf(place), { type: 'unit', id: 'session-9.scope' });
  equal(unitAndEntry(place)[1], 'start');
});

test('the runtime’s processes on their way into a container stay as they are', () => {
  const bed = bedOf();
  bed.mkdir(RUNTIME.cgroup, '/system.slice/containerd.service');
  bed.mkdir(60n, podPath(A));
  const init = { cgroup: 60n, mnt: HOST_MNT };
  equal(bed.place(init, RUNTIME).attributes, '');
  deepEqual(unitAndEntry(bed.place(RUNTIME, RUNTIME)), ['containerd.service', undefined]);
});
