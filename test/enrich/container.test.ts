import { deepEqual, match } from 'node:assert/strict';
import { test } from 'node:test';
import { Container } from '../../agent/enrich/container.ts';
import type { KnownFacts } from '../../agent/enrich/container-memory.ts';
import type { Pod } from '../../agent/enrich/pods/pod.ts';
import { NO_PODS } from '../../agent/enrich/pods/pod-source.ts';
import type { ContainerState } from '../../agent/enrich/runtimes/runtime.ts';
import { A, containerOf, podOf, podPath, stateOf, UID } from './craft.ts';

interface Known {
  state?: ContainerState;
  pod?: Pod;
}

const POD = podOf(UID, 'cart-1', [containerOf({ id: A })]);
const EVERYTHING = { state: stateOf(), pod: POD };

/**
 * A container with the facts that the node and the memory know, and how often the memory is asked.
 */
function containerWith(known: Known, recalled: KnownFacts | undefined, runtimeOnly = false) {
  const asked: string[] = [];
  const container = new Container(
    { id: A, podUid: UID, runtime: undefined, root: podPath(A) },
    { ...NO_PODS, candidates: () => (known.pod ? [known.pod] : []), state: 'following' },
    {
      host: {},
      readState: () => known.state,
      runtimeOnly,
      memory: {
        recall(key) {
          asked.push(key);
          return recalled;
        },
        keep: () => {},
        saving: undefined,
      },
    },
  );
  return { container, asked };
}

test('a container whose runtime and pod are known is rendered without its memory', () => {
  const { container, asked } = containerWith(EVERYTHING, undefined);
  match(container.resource, /"k8s.pod.name":"cart-1"/);
  container.changed();
  deepEqual(asked, []);
});

test('without a source of pods the runtime’s state is enough', () => {
  const { container, asked } = containerWith({ state: stateOf() }, undefined, true);
  match(container.resource, /"k8s.pod.name":"cart-1"/);
  deepEqual(asked, []);
});

for (const [missing, known] of [
  ['state', { pod: POD }],
  ['pod', { state: stateOf() }],
] as const)
  test(`a container whose ${missing} is not known has it from its memory`, () => {
    const whole = containerWith(EVERYTHING, undefined).container;
    const { container, asked } = containerWith(known, EVERYTHING);
    deepEqual(container.resource, whole.resource);
    deepEqual(asked, [container.key]);
  });

/** The pod name and the metadata state in a container's records, with these candidates for its pod. */
function namedBy(candidates: readonly Pod[], state: ContainerState | undefined) {
  const container = new Container(
    { id: A, podUid: UID, runtime: undefined, root: podPath(A) },
    { ...NO_PODS, candidates: () => candidates, state: 'following' },
    {
      host: {},
      readState: () => state,
      runtimeOnly: false,
      memory: { recall: () => undefined, keep: () => {}, saving: undefined },
    },
  );
  const name = /"k8s.pod.name":"([^"]*)"/.exec(container.resource)?.[1];
  return [name, container.attributes.includes('"complete"')];
}

test('of two pods that claim one static pod, the one that the runtime names is it', () => {
  const own = { ...podOf('u1', 'cart-1', [containerOf({ id: A })]), mirrors: UID };
  const forged = { ...podOf('u2', 'forged', [containerOf({ id: A })]), mirrors: UID };
  deepEqual(namedBy([forged, own], stateOf()), ['cart-1', true]);
  deepEqual(namedBy([forged], stateOf()), ['cart-1', false]);
});

test('a claim that no runtime confirms names nothing', () => {
  const claim = { ...POD, mirrors: UID };
  deepEqual(namedBy([claim], undefined), [undefined, false]);
});
