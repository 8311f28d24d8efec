import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../../agent/enrich/authority/commands.ts';
import type { Pod } from '../../../agent/enrich/pods/pod.ts';
import type { ContainerState } from '../../../agent/enrich/runtimes/runtime.ts';
import { bedOf, environmentOf, type With } from '../bed.ts';
import {
  A,
  authorityOf,
  B,
  containerOf,
  entryOf,
  podOf,
  podPath,
  RUNTIME,
  stateOf,
  UID,
} from '../craft.ts';

const INSIDE = { cgroup: 60n, mnt: 7 };
const OWNED = {
  'k8s.replicaset.name': 'cart-7d9f',
  'k8s.replicaset.uid': 'u',
  'k8s.deployment.name': 'cart',
};

interface Known {
  readonly state?: Partial<ContainerState> | 'unknown';
  readonly pod?: Partial<Pod> | 'unknown';
  readonly path?: string;
  readonly runtimeOnly?: boolean;
}

/** A container with what is known about it. */
function bedWith({ state = {}, pod = {}, path = podPath(A), runtimeOnly = false }: Known) {
  const bed = bedOf({ runtimeOnly });
  if (state !== 'unknown') bed.states.set(A, stateOf(state));
  if (pod !== 'unknown') bed.pods.set(UID, { ...podOf(UID, 'cart-1'), ...pod });
  bed.mkdir(60n, path);
  return bed;
}

/** What permitted the first entry of a container, and a later one. */
function authorities(known: Known, given: With = {}) {
  const bed = bedWith(known);
  const [start, exec] = [
    bed.placeWith(INSIDE, RUNTIME, given),
    bed.placeWith(INSIDE, RUNTIME, given),
  ];
  deepEqual(authorityOf(bed.placeWith(INSIDE, INSIDE, given)), {}, 'a descendant has none');
  return [authorityOf(start), authorityOf(exec)];
}

const POD = { type: 'pod', id: UID };
const RS = { controller: ['ReplicaSet/cart-7d9f', 'Deployment/cart'] };
const STARTS: readonly (readonly [what: string, known: Known, authority: object])[] = [
  ['a pod of a Deployment', { pod: { attributes: OWNED } }, { ...POD, ...RS }],
  [
    'a CronJob’s pod',
    { pod: { attributes: { 'k8s.job.name': 'a-1', 'k8s.cronjob.name': 'a' } } },
    { ...POD, controller: ['Job/a-1', 'CronJob/a'] },
  ],
  ['another controller', { pod: { controller: 'Game/x' } }, { ...POD, controller: ['Game/x'] }],
  ['a service account', { pod: { serviceAccount: 's' } }, { ...POD, service_account: 's' }],
  ['a bare pod', {}, POD],
  [
    'a sandbox',
    { state: { sandbox: true, name: undefined }, pod: { attributes: OWNED } },
    { ...POD, ...RS },
  ],
  // A person adds these to a pod, not its controller.
  [
    'an ephemeral container',
    {
      pod: {
        attributes: OWNED,
        serviceAccount: 's',
        containers: [containerOf({ type: 'ephemeral' })],
      },
    },
    { ...POD, service_account: 's' },
  ],
  ['a container that the pod lacks', { pod: { attributes: OWNED, containers: [] } }, POD],
  ['a pod of which only the uid is known', { pod: 'unknown', state: 'unknown' }, POD],
  [
    'a pod that is only known to the runtime',
    { pod: { attributes: OWNED }, runtimeOnly: true },
    POD,
  ],
  ['another pod of that name', { pod: { name: 'other', attributes: OWNED } }, POD],
  ['a container without a pod', { path: `/docker/${A}` }, {}],
];
for (const [what, known, authority] of STARTS)
  test(`the start of a container is permitted by its pod: ${what}`, () => {
    deepEqual(authorities(known, { environment: environmentOf([]) })[0], authority);
  });

const ID = 'c0ffee00-0000-4000-8000-000000000001';
const ONCE = [['REQUEST_ID', ID]] as const;
const REQUEST = { type: 'exec_request', id: ID, source: 'REQUEST_ID' };
const REQUESTS: readonly (readonly [what: string, known: Known, given: With, authority: object])[] =
  [
    ['a variable', {}, { environment: environmentOf(ONCE) }, REQUEST],
    [
      'without a pod',
      { path: `/docker/${A}`, state: { runtime: 'docker', podUid: undefined } },
      { environment: environmentOf(ONCE) },
      REQUEST,
    ],
    [
      'among others',
      {},
      { environment: environmentOf([['SSH_CONNECTION', '::1'], ...ONCE]) },
      REQUEST,
    ],
    ['two variables', {}, { environment: environmentOf([['OTHER_ID', 'b'], ...ONCE]) }, REQUEST],
    [
      'the second variable',
      {},
      { environment: environmentOf([['OTHER_ID', 'b']]) },
      { type: 'exec_request', id: 'b', source: 'OTHER_ID' },
    ],
    ['no environment', {}, {}, {}],
    ['no variable', {}, { environment: environmentOf([]) }, {}],
    ['an empty variable', {}, { environment: environmentOf([['REQUEST_ID', '']]) }, {}],
    ['a variable twice', {}, { environment: environmentOf([...ONCE, ...ONCE]) }, {}],
    [
      'another value of it',
      {},
      { environment: environmentOf([...ONCE, ['REQUEST_ID', 'forged']]) },
      {},
    ],
    [
      'a cut environment, where it may stand twice',
      {},
      { environment: environmentOf(ONCE, true) },
      {},
    ],
    [
      'a variable that the container itself sets',
      { state: { variables: ['REQUEST_ID'] } },
      { environment: environmentOf(ONCE) },
      {},
    ],
    [
      'a variable beside one that the container sets',
      { state: { variables: ['REQUEST_ID'] } },
      { environment: environmentOf([...ONCE, ['OTHER_ID', 'b']]) },
      { type: 'exec_request', id: 'b', source: 'OTHER_ID' },
    ],
    [
      'a container whose configuration is not known',
      { state: 'unknown' },
      { environment: environmentOf(ONCE) },
      {},
    ],
    [
      'a configuration of another container',
      { state: { podUid: 'another' } },
      { environment: environmentOf(ONCE) },
      {},
    ],
  ];
for (const [what, known, given, authority] of REQUESTS)
  test(`an exec is permitted by the request in its environment: ${what}`, () => {
    deepEqual(authorities(known, given)[1], authority);
  });

const PING = ['redis-cli', 'ping'];
const QUIT = ['sh', '-c', 'nginx -s quit; sleep 5'];
const COMMANDS = {
  liveness: digestOf(PING),
  startup: digestOf(PING),
  readiness: digestOf(['/ready.sh', 'a']),
  pre_stop: digestOf(QUIT),
};
const PROBED: Known = { pod: { containers: [containerOf({ commands: COMMANDS })] } };
const BOTH = { liveness: digestOf(PING), post_start: digestOf(PING) };
const TWICE = { type: 'probe', id: 'liveness,startup', matched: true };
const READY = { type: 'probe', id: 'readiness', matched: true };
const script = (...args: readonly string[]): With => ({ object: '/ready.sh', args });
const MATCHES: readonly (readonly [what: string, known: Known, given: With, authority: object])[] =
  [
    ['a command of two probes', PROBED, { args: PING }, TWICE],
    ['a handler', PROBED, { args: QUIT }, { type: 'lifecycle', id: 'pre_stop', matched: true }],
    ['a script', PROBED, script('/bin/sh', '/ready.sh', 'a'), READY],
    ['a script with an option', PROBED, script('/usr/bin/env', 'sh', '/ready.sh', 'a'), READY],
    ['a script of another interpreter', PROBED, script('sh', '/ready.sh', 'a'), {}],
    ['a script by a person’s shell', PROBED, { args: ['sh', '/ready.sh', 'a'] }, {}],
    ['another command', PROBED, { args: ['redis-cli', 'ping', 'me'] }, {}],
    ['other boundaries of arguments', PROBED, { args: ['redis-cli ping'] }, {}],
    ['cut arguments', PROBED, { args: PING, argsTruncated: true }, {}],
    ['redacted arguments', PROBED, { args: PING, argsRedacted: 1 }, {}],
    ['arguments that are not recorded', PROBED, { args: undefined }, {}],
    [
      'a probe and a handler at once',
      { pod: { containers: [containerOf({ commands: BOTH })] } },
      { args: PING },
      {},
    ],
    ['a container without probes', {}, { args: PING }, {}],
    ['no source of pods', { ...PROBED, runtimeOnly: true }, { args: PING }, {}],
    [
      'the probe of another container',
      { pod: { containers: [containerOf({ name: 'other', id: B, commands: COMMANDS })] } },
      { args: PING },
      {},
    ],
    [
      'a request with the command of a probe',
      PROBED,
      { args: PING, environment: environmentOf(ONCE) },
      REQUEST,
    ],
    [
      'a forged request with the command of a probe',
      PROBED,
      { args: PING, environment: environmentOf([...ONCE, ...ONCE]) },
      TWICE,
    ],
  ];
for (const [what, known, given, authority] of MATCHES)
  test(`an exec matches the container’s configured commands: ${what}`, () => {
    deepEqual(authorities(known, given)[1], authority);
  });

test('a container that is restarted has its pod’s authority once more', () => {
  const bed = bedWith({
    pod: { attributes: OWNED, containers: [containerOf({ id: B, lastId: A })] },
  });
  const at = (cgroup: bigint, ...variables: Parameters<typeof environmentOf>[0]) =>
    authorityOf(
      bed.placeWith({ cgroup, mnt: 7 }, RUNTIME, { environment: environmentOf(variables) }),
    );
  deepEqual([at(60n), at(60n, ...ONCE)], [{ ...POD, ...RS }, REQUEST]);
  bed.rmdir(60n);
  bed.states.set(B, stateOf({ variables: ['REQUEST_ID'] }));
  bed.mkdir(61n, podPath(B));
  deepEqual([at(61n, ...ONCE), at(61n, ...ONCE)], [{ ...POD, ...RS }, {}]);
});

test('an entry with the id of a request is no start, though none was seen', () => {
  const place = bedWith({ pod: { attributes: OWNED } }).placeWith(
    { cgroup: 60n, mnt: 7 },
    RUNTIME,
    {
      environment: environmentOf(ONCE),
    },
  );
  equal(entryOf(place), 'exec');
  deepEqual(authorityOf(place), REQUEST);
});
