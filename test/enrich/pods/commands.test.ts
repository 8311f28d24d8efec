import { deepEqual, equal, notEqual, ok } from 'node:assert/strict';
import { test } from 'node:test';
import type { V1Pod } from '@kubernetes/client-node';
import { digestOf } from '../../../agent/enrich/authority/commands.ts';
import { bytesOf, slimPod } from '../../../agent/enrich/pods/pod.ts';
import { podShape } from '../../../agent/enrich/pods/pod-shape.ts';
import { JsonSieve } from '../../../agent/kube/json-sieve.ts';
import { POD_UID } from '../../support/ids.ts';

function probe(...command: readonly string[]) {
  return { livenessProbe: { exec: { command: [...command] } } };
}

/** The pod of a container with this configuration, as its JSON gives it. */
function podOf(container: object, others: readonly object[] = []) {
  const keys = { label: () => false, annotation: () => false };
  const sieve = new JsonSieve(podShape(keys));
  const metadata = { uid: POD_UID, namespace: 'shop', name: 'cart' };
  const spec = { containers: [...others, { name: 'cart', ...container }], serviceAccountName: 's' };
  sieve.write(Buffer.from(JSON.stringify({ metadata, spec })));
  const { value, isCut } = sieve.end() ?? {};
  return slimPod(value as V1Pod, { keys, nodeName: 'node-1' }, isCut);
}

function readCommands(container: object, others: readonly object[] = []) {
  const pod = podOf(container, others);
  equal(pod?.isReduced, false);
  return pod?.containers.at(-1)?.commands;
}

const ENV = [
  { name: 'A', value: 'a' },
  { name: 'NESTED', value: '$(A)' },
  { name: 'TWICE', value: '1' },
  { name: 'TWICE', value: '2' },
  { name: 'SECRET', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
];
/** As third_party/forked/golang/expansion/expand_test.go has them. */
const EXPANDED: readonly (readonly [given: string, executed: string])[] = [
  ['a', 'a'],
  ['$(A)', 'a'],
  ['_$(A)_$(A)', '_a_a'],
  ['$(NESTED)', '$(A)'],
  ['$(TWICE)', '2'],
  ['x$(SECRET)y', 'xy'],
  ['$(UNKNOWN)', '$(UNKNOWN)'],
  ['$(cat /pid)', '$(cat /pid)'],
  ['$$(A)', '$(A)'],
  ['$$$(A)', '$a'],
  ['$$$$(A)', '$$(A)'],
  ['$A $ {A} $', '$A $ {A} $'],
  ['$(A', '$(A'],
  ['$(A$(A)', '$(A$(A)'],
  ['$((A))', '$((A))'],
  ['$()', '$()'],
  ['$\n$(A)', '$\na'],
  ['Zoë $(A) \\', 'Zoë a \\\\'],
];

test('probes are executed with the container’s own variables expanded', () => {
  for (const [given, executed] of EXPANDED)
    deepEqual(
      readCommands({ env: ENV, ...probe('sh', '-c', given) }),
      { liveness: digestOf(['sh', '-c', executed]) },
      given,
    );
});

test('handlers are executed as they stand', () => {
  const exec = { command: ['echo', '$(A)'] };
  deepEqual(readCommands({ env: ENV, lifecycle: { postStart: { exec }, preStop: { exec } } }), {
    post_start: digestOf(exec.command),
    pre_stop: digestOf(exec.command),
  });
});

test('every kind of probe has its own command, and those that execute nothing have none', () => {
  const exec = (...command: string[]) => ({ exec: { command }, periodSeconds: 1 });
  deepEqual(
    readCommands({
      livenessProbe: exec('a'),
      readinessProbe: exec('b'),
      startupProbe: exec('c', ''),
      lifecycle: { preStop: { sleep: { seconds: 1 } } },
    }),
    { liveness: digestOf(['a']), readiness: digestOf(['b']), startup: digestOf(['c', '']) },
  );
  for (const nothing of [
    {},
    { livenessProbe: { httpGet: { path: '/' } } },
    { livenessProbe: exec() },
    { livenessProbe: { exec: {} } },
  ])
    equal(readCommands(nothing), undefined);
});

test('the boundaries of arguments count', () => {
  notEqual(digestOf(['a b']), digestOf(['a', 'b']));
  notEqual(digestOf(['a', '']), digestOf(['a']));
});

const LONG = 'x'.repeat(20_000);
const many = Array.from({ length: 20_000 }, (_, n) => ({ name: `V_${n}`, value: 'x'.repeat(40) }));
test('a command is left out if its configuration is too large, and the pod is whole', () => {
  equal(readCommands(probe('sh', '-c', LONG)), undefined);
  for (const env of [many, [{ name: 'A', value: LONG }]]) {
    equal(readCommands({ env, ...probe('echo', '$(A)') }), undefined);
    deepEqual(readCommands({ env, ...probe('echo') }), { liveness: digestOf(['echo']) });
  }
  const own = { env: ENV, ...probe('echo', '$(A)') };
  // What other containers have takes none of this one's room unless it is kept.
  deepEqual(readCommands(own, [{ name: 'other', env: many, ...probe(LONG) }]), {
    liveness: digestOf(['echo', 'a']),
  });
});

test('a container keeps a bounded part of its commands, and nothing of its variables', () => {
  const exec = { exec: { command: ['sh', '-c', 'secret-command'] } };
  const all = { livenessProbe: exec, readinessProbe: exec, startupProbe: exec };
  const lifecycle = { postStart: exec, preStop: exec };
  const env = [{ name: 'SECRET', value: 'secret-value' }];
  const pod = podOf({ env, ...all, lifecycle });
  ok(pod !== undefined);
  equal(JSON.stringify(pod).toLowerCase().includes('secret'), false);
  const without = podOf({});
  ok(without !== undefined && bytesOf(pod) - bytesOf(without) < 300);
  equal(pod.serviceAccount, 's');
});
