import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { agentContainer, HELMS, objectOf, type Part, template } from './template.ts';

interface Policy {
  readonly spec: { readonly podSelector: Part; readonly policyTypes: unknown; ingress: unknown };
}

/** The addresses at which an agent with these values listens. */
function addresses(values: string): Readonly<Record<string, string | undefined>> {
  const { env } = agentContainer(values);
  return Object.fromEntries(
    env
      .filter(({ name }) => name.endsWith('_ADDRESS'))
      .map(({ name, value }) => [name.replace(/^VCML_AGENT_/, ''), value]),
  );
}

/** The ingress rules of the NetworkPolicy; undefined: there is no policy. */
function ingress(values: string): unknown {
  const policy = objectOf('NetworkPolicy', template(values)) as Policy | undefined;
  return policy?.spec.ingress;
}

for (const helm of HELMS)
  test(`${helm}: the kubelet probes a listener that serves nothing else`, () => {
    const { ports, livenessProbe, readinessProbe } = agentContainer('', helm);
    deepEqual(ports, [
      { name: 'telemetry', containerPort: 9469 },
      { name: 'probes', containerPort: 9470 },
    ]);
    deepEqual(livenessProbe.httpGet, { path: '/livez', port: 'probes' });
    deepEqual(readinessProbe.httpGet, { path: '/readyz', port: 'probes' });
  });

test('metrics and probes listen at the address of the pod', () => {
  deepEqual(addresses('probePort: 1'), {
    TELEMETRY_ADDRESS: '$(POD_IP):9469',
    PROBE_ADDRESS: '$(POD_IP):1',
  });
  deepEqual(addresses('ipv6: true'), {
    TELEMETRY_ADDRESS: '[$(POD_IP)]:9469',
    PROBE_ADDRESS: '[$(POD_IP)]:9470',
  });
});

test('without metrics there are probes', () => {
  const values = 'telemetry: {enabled: false}';
  deepEqual(addresses(values), { PROBE_ADDRESS: '$(POD_IP):9470' });
  const { ports, livenessProbe } = agentContainer(values);
  deepEqual(ports, [{ name: 'probes', containerPort: 9470 }]);
  deepEqual(livenessProbe.httpGet, { path: '/livez', port: 'probes' });
});

test('in the network of the node, no pod reaches the port of the probes', () => {
  const values = 'hostNetwork: true';
  deepEqual(addresses(values), {
    TELEMETRY_ADDRESS: '$(POD_IP):9469',
    PROBE_ADDRESS: '127.0.0.1:9470',
  });
  const { livenessProbe, readinessProbe } = agentContainer(values);
  deepEqual(livenessProbe.httpGet, { path: '/livez', port: 'probes', host: '127.0.0.1' });
  deepEqual(readinessProbe.httpGet, { path: '/readyz', port: 'probes', host: '127.0.0.1' });
  equal(ingress(values), undefined, 'no NetworkPolicy applies there');
});

test('by default, a NetworkPolicy selects the agents and lets nobody connect to them', () => {
  const { spec } = objectOf('NetworkPolicy', template()) as unknown as Policy;
  deepEqual(spec.podSelector, {
    matchLabels: {
      'app.kubernetes.io/name': 'vcml-agent',
      'app.kubernetes.io/instance': 'vcml-agent',
      'app.kubernetes.io/component': 'agent',
    },
  });
  deepEqual(spec.policyTypes, ['Ingress']);
  deepEqual(spec.ingress, []);
});

test('the peers that the operator names reach the metrics, and only these', () => {
  const from = [{ namespaceSelector: { matchLabels: { team: 'monitoring' } } }];
  const values = `networkPolicy: {from: ${JSON.stringify(from)}}`;
  deepEqual(ingress(values), [{ from, ports: [{ port: 9469, protocol: 'TCP' }] }]);
  deepEqual(ingress(`${values}\ntelemetry: {enabled: false}`), []);
  equal(ingress('networkPolicy: {enabled: false}'), undefined);
});
