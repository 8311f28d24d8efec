import { deepEqual, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { agentsOf, withoutAgent } from '../../../forensics/cluster/agents.ts';

const podOn = (node: string | undefined, name: string, phase = 'Running', more = {}) => ({
  metadata: { name, namespace: 'vcml-agent', ...more },
  spec: { ...(node && { nodeName: node }) },
  status: { phase },
});

test('one pod of each node is asked: one that runs, rather than one that ends', () => {
  const ending = { deletionTimestamp: '2026-01-31T00:00:00Z' };
  const pods = [
    podOn('node-2', 'a', 'Running', ending),
    podOn('node-2', 'b'),
    podOn('node-1', 'c', 'Failed'),
    podOn('node-1', 'd', 'Running', ending),
    podOn('node-3', 'e', 'Pending'),
    podOn(undefined, 'f', 'Pending'),
  ];
  deepEqual(
    agentsOf(pods).map(({ node, pod }) => [node, pod]),
    [
      ['node-1', 'd'],
      ['node-2', 'b'],
      ['node-3', 'e'],
    ],
  );
});

test('a node without such a pod is named', () => {
  const agents = agentsOf([podOn('node-1', 'a')]);
  const nodes = ['node-1', 'node-2'].map((name) => ({ metadata: { name } }));
  deepEqual(withoutAgent(nodes, agents), ['node-2']);
});

test('of several agents that run on a node, the others are known as well', () => {
  const pods = [podOn('node-1', 'a'), podOn('node-1', 'b'), podOn('node-1', 'c', 'Pending')];
  deepEqual(
    agentsOf(pods).map(({ pod, others }) => [pod, others]),
    [['a', ['b']]],
  );
});

test('pods of several namespaces are refused, whatever else they have of agents', () => {
  const impostor = podOn('node-1', 'x', 'Running', { namespace: 'aaa' });
  const refusal = /several namespaces .*\(aaa, vcml-agent\): .* --agent-namespace/;
  throws(() => agentsOf([impostor, podOn('node-1', 'a')]), refusal);
  throws(() => agentsOf([podOn('node-1', 'a'), podOn('node-2', 'b'), impostor]), refusal);
  deepEqual(agentsOf([impostor])[0]?.namespace, 'aaa');
});
