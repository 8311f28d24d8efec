import { type Shape, TEXT } from '../../kube/json-shape.ts';
import type { ContainerState } from './runtime.ts';

/** The labels that the kubelet gives to a container. */
export const KUBELET_LABELS: Readonly<Record<string, Shape>> = {
  'io.kubernetes.pod.namespace': TEXT,
  'io.kubernetes.pod.name': TEXT,
  'io.kubernetes.pod.uid': TEXT,
  'io.kubernetes.container.name': TEXT,
};

/** The pod of a container, by these labels. */
export function podNames(
  labels: Readonly<Record<string, unknown>>,
): Pick<ContainerState, 'podNamespace' | 'podName' | 'podUid'> {
  return {
    podNamespace: nameOf(labels['io.kubernetes.pod.namespace']),
    podName: nameOf(labels['io.kubernetes.pod.name']),
    podUid: nameOf(labels['io.kubernetes.pod.uid']),
  };
}

/** A name as Kubernetes and runtimes allow it; undefined for anything else. */
export function nameOf(value: unknown): string | undefined {
  return matching(value, /^[A-Za-z0-9][A-Za-z0-9_.-]{0,252}$/);
}

/**
 * An image's reference or id; undefined for anything else. A registry may be an IPv6 address in
 * brackets (github.com/distribution/reference, regexp.go).
 */
export function imageOf(value: unknown): string | undefined {
  return matching(value, /^(?:[A-Za-z0-9]|\[[A-Fa-f0-9:]{2,45}\])[\w.:/@+-]{0,511}$/);
}

/** A JSON object; undefined for any other value. */
export function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

function matching(value: unknown, pattern: RegExp): string | undefined {
  return typeof value === 'string' && pattern.test(value) ? value : undefined;
}
