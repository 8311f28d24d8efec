import { deepEqual } from 'node:assert/strict';
import { test } from 'node:test';
import { inOrder } from '../../../../forensics/store/answer/resource-order.ts';

const POD = [
  'team',
  'host.name',
  'host.id',
  'os.type',
  'k8s.node.name',
  'k8s.cluster.name',
  'container.id',
  'container.name',
  'container.image.name',
  'container.image.tags',
  'container.image.id',
  'container.runtime.name',
  'vcml.container.type',
  'k8s.namespace.name',
  'k8s.pod.name',
  'k8s.pod.uid',
  'k8s.container.name',
  'k8s.container.restart_count',
  'service.name',
  'k8s.pod.start_time',
  'k8s.replicaset.name',
  'k8s.replicaset.uid',
  'k8s.deployment.name',
  'k8s.pod.label.app',
  'k8s.pod.label.tier',
  'k8s.pod.annotation.a',
];

test('a resource of a pod that was sorted by key is as the agent writes it', () => {
  deepEqual(sortedThenInOrder(POD), POD);
});

test('on the host, the name of the service stands before that of the node', () => {
  const host = ['team', 'service.name', 'host.name', 'host.id', 'os.type', 'k8s.node.name'];
  deepEqual(sortedThenInOrder(host), host);
});

function sortedThenInOrder(keys: readonly string[]): string[] {
  return inOrder(keys.toSorted().map((key) => [key, ''] as const)).map(([key]) => key);
}
