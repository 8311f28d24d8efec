import { deepEqual, equal, fail, match } from 'node:assert/strict';
import { test } from 'node:test';
import { agentContainer, daemonSet, HELMS, objectOf, refusal, template } from './template.ts';

/** Values in YAML that are refused, and the message; both versions of Helm quote keys differently. */
const REFUSED: readonly (readonly [values: string, said: RegExp])[] = [
  ['livenessProbe: {exec: {command: [ls]}}', /'?exec'? (is )?not allowed/],
  ['readinessProbe: {httpGet: {port: 1}}', /'?httpGet'? (is )?not allowed/],
  ['readinessProbe: {periodSeconds: 10s}', /readinessProbe.periodSeconds/],
  ['extraEnv: [{name: A, value: 5}]', /extraEnv.0.value.*in quotes \(\\?"1\.10\\?"\)/s],
  ['extraEnv: [{name: A, value: true}]', /extraEnv.0.value.*in quotes/s],
  ['extraEnv: [{name: A, vaule: "5"}]', /'?vaule'? (is )?not allowed/],
  ['extraEnv: [{name: POD_NAME, value: a}]', /extraEnv has POD_NAME, which the chart sets/],
  ['labels: {app.kubernetes.io/name: a}', /labels has app.kubernetes.io\/name, which the chart/],
  ['podLabels: {app.kubernetes.io/component: a}', /podLabels has app.kubernetes.io\/component/],
  ['labels: {helm.sh/chart: a}', /labels has helm.sh\/chart/],
  ['podMonitor: {labels: {app.kubernetes.io/instance: a}}', /podMonitor.labels has .*instance/],
  ['podAnnotations: {checksum/config: a}', /podAnnotations has checksum\/config/],
  ['secrets: [A_b]', /secrets.0/],
  [
    'config: {pinDir: /run/pins}',
    /config.pinDir is \/run\/pins, but the pod has the bpffs .* at \/sys/,
  ],
  ['config: {pinDir: /sys/fs/bpf}', /config.pinDir is \/sys\/fs\/bpf, but/],
  ['config: {pinDir: /sys/fs/bpf/../cgroup/x}', /config.pinDir is .*, but/],
];

for (const helm of HELMS)
  for (const [values, said] of REFUSED)
    test(`${helm}: refuses ${values}`, () => {
      match(refusal(values, helm), said);
    });

test('labels of an object take precedence over those of all objects, and each occurs once', () => {
  const values = `
    labels: {team: a, tier: infra}
    podMonitor: {enabled: true, labels: {team: b}}
    networkPolicy: {enabled: false}`;
  const labels = (kind: string) =>
    objectOf(kind, template(values))?.metadata.labels ?? fail(`no ${kind}`);
  equal(labels('PodMonitor').team, 'b');
  equal(labels('PodMonitor').tier, 'infra');
  equal(labels('DaemonSet').team, 'a');
  equal(labels('DaemonSet')['app.kubernetes.io/component'], 'agent');
});

test('times of a probe stay beside what the chart requests', () => {
  const { livenessProbe } = agentContainer('livenessProbe: {initialDelaySeconds: 7}');
  deepEqual(livenessProbe, {
    httpGet: { path: '/livez', port: 'probes' },
    initialDelaySeconds: 7,
    periodSeconds: 10,
    timeoutSeconds: 5,
    failureThreshold: 6,
  });
});

test('each Secret has a volume of its own, whatever its name', () => {
  const long = 'x'.repeat(60);
  const names = ['a.b', 'a-b', `${long}1`, `${long}2`, 'a.b'];
  const { template: pod } = daemonSet(`secrets: ${JSON.stringify(names)}`).spec;
  const volumes = pod.spec.volumes.filter(({ secret }) => secret !== undefined);
  const { volumeMounts } = pod.spec.containers[0];
  deepEqual(
    volumes.map(({ secret }) => secret?.secretName),
    names.slice(0, 4),
  );
  equal(new Set(volumes.map(({ name }) => name)).size, 4);
  for (const { name, secret } of volumes) {
    match(name, /^[a-z0-9][a-z0-9-]{0,62}$/);
    const mounts = volumeMounts.filter((mount) => mount.name === name);
    deepEqual(
      mounts.map(({ mountPath }) => mountPath),
      [`/etc/vcml-agent/secrets/${secret?.secretName}`],
    );
  }
});

test('pins may be in any folder of the bpffs', () => {
  equal(refusal('config: {pinDir: /sys/fs/bpf/other}'), '');
  equal(refusal('config: {pinDir: /sys/fs/bpf/a/b}'), '');
});
