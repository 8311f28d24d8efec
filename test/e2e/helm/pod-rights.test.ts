import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { type DaemonSet, HELMS, objectOf, refusal, template } from './template.ts';

/** The first versions whose API server knows a field that the pods may have. */
const SINCE: Readonly<Record<string, number>> = {
  hostUsers: 25,
  appArmorProfile: 30,
  recursiveReadOnly: 31,
};

function podAt(kubeVersion: string, values = '', helm: 'helm' | 'helm3' = 'helm') {
  const objects = template(values, helm, 'vcml-agent', kubeVersion);
  return (objectOf('DaemonSet', objects) as DaemonSet).spec.template.spec;
}

/** Lists the names of all fields of an object, at any depth. */
function fieldsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const deeper = Object.values(value).flatMap(fieldsOf);
  return Array.isArray(value) ? deeper : [...Object.keys(value), ...deeper];
}

for (const helm of HELMS) {
  test(`${helm}: no version in the range of the chart gets a field that it does not know`, () => {
    for (let minor = 25; minor <= 36; minor++) {
      const fields = fieldsOf(podAt(`1.${minor}.0`, '', helm));
      for (const [field, since] of Object.entries(SINCE))
        equal(fields.includes(field), minor >= since, `${field} in 1.${minor}`);
    }
  });

  test(`${helm}: a version with a suffix is in the range, and an earlier one is refused`, () => {
    equal(refusal('', helm, 'v1.25.16-eks-abc'), '');
    equal(refusal('', helm, 'v1.33.1-gke.100'), '');
    match(refusal('', helm, '1.24.17'), /chart requires kubeVersion: >=1\.25/);
  });

  test(`${helm}: leastPrivilege takes hostPID and SYS_PTRACE, and nothing else`, () => {
    const [full, least] = ['', 'leastPrivilege: true'].map((values) =>
      podAt('1.36.0', values, helm),
    );
    ok(full && least);
    equal(full.hostPID, true);
    equal(least.hostPID, undefined);
    deepEqual(least.containers[0].securityContext.capabilities?.add, ['BPF', 'PERFMON']);
    const { hostPID: _, ...expected } = structuredClone(full);
    const [agent] = structuredClone(expected.containers);
    Object.assign(agent.securityContext.capabilities ?? {}, { add: ['BPF', 'PERFMON'] });
    deepEqual(least, { ...expected, containers: [agent] });
  });
}

test('all pods that use files of the node are in its user namespace', () => {
  for (const values of ['', 'leastPrivilege: true', 'privileged: true', 'hostNetwork: true']) {
    equal(podAt('1.36.0', values).hostUsers, true);
    const pods = template(values).filter(({ kind }) => kind === 'Pod');
    ok(pods.length > 0);
    for (const pod of pods as unknown as { spec: { hostUsers?: boolean } }[])
      equal(pod.spec.hostUsers, true);
  }
});

test('leastPrivilege keeps other capabilities, and contradicts privileged', () => {
  const values = 'leastPrivilege: true\ncapabilities: [BPF, PERFMON, SYS_PTRACE, SYS_RESOURCE]';
  const { add } = podAt('1.36.0', values).containers[0].securityContext.capabilities ?? {};
  deepEqual(add, ['BPF', 'PERFMON', 'SYS_RESOURCE']);
  match(refusal('{leastPrivilege: true, privileged: true}'), /remove one of them/);
});
