import type { Pod } from '../../agent/enrich/pods/pod.ts';
import type { ContainerState } from '../../agent/enrich/runtimes/runtime.ts';
import { HOST_MNT, idOf, type Spot } from './bed.ts';

export const UID = '8f4a1c9e-2d3b-4c5d-9e8f-0a1b2c3d4e5f';
export const OTHER_UID = '00000000-2d3b-4c5d-9e8f-0a1b2c3d4e5f';
export const HASH = '3f2a9c1b7d6e5f4a3b2c1d0e9f8a7b6c';
export const A = idOf('a');
export const B = idOf('b');

export const HOST: Spot = { cgroup: 1n, mnt: HOST_MNT };
export const RUNTIME: Spot = { cgroup: 50n, mnt: HOST_MNT };

export function podPath(id: string, uid = UID): string {
  return `/kubepods/burstable/pod${uid}/${id}`;
}

export function podOf(
  uid: string,
  name: string,
  containers: Pod['containers'] = [containerOf()],
): Pod {
  return {
    uid,
    name,
    namespace: 'shop',
    containers,
    isOver: false,
    isReduced: false,
    attributes: { 'k8s.pod.start_time': '2026-01-31T12:00:00Z', 'service.name': 'cart-service' },
  };
}

export function containerOf(
  more: Partial<Pod['containers'][number]> = {},
): Pod['containers'][number] {
  return {
    name: 'cart',
    type: 'regular',
    image: 'shop/cart:2',
    id: undefined,
    imageId: undefined,
    restartCount: undefined,
    lastId: undefined,
    ...more,
  };
}

export function stateOf(more: Partial<ContainerState> = {}): ContainerState {
  return {
    runtime: 'containerd',
    sandbox: false,
    podNamespace: 'shop',
    podName: 'cart-1',
    podUid: UID,
    name: 'cart',
    image: 'docker.io/shop/cart:2',
    variables: [],
    ...more,
  };
}

/** Returns attributes from their text. */
export function attributesOf({ attributes }: { attributes: string }): Record<string, unknown> {
  return JSON.parse(`{${attributes.slice(1)}}`);
}

/** Returns the attributes of a place that say what permitted an entry, by the ends of their keys. */
export function authorityOf(place: { attributes: string }): Record<string, unknown> {
  const prefix = 'vcml.authority.';
  const all = Object.entries(attributesOf(place)).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(all.map(([key, value]) => [key.slice(prefix.length), value]));
}

/** Returns the kind of an entry from the text of its attributes. */
export function entryOf({ attributes }: { attributes: string }): string {
  if (!attributes.includes('vcml.metadata.state')) return 'host';
  return /"vcml.entry":"(\w+)"/.exec(attributes)?.[1] ?? 'descendant';
}
