import { type Members, members, type Shape, TEXT, variablesNamed } from '../../kube/json-shape.ts';
import type { ContainerState } from './runtime.ts';

/** The labels that the kubelet gives to a container. */
export const KUBELET_LABELS: Readonly<Record<string, Shape>> = {
  'io.kubernetes.pod.namespace': TEXT,
  'io.kubernetes.pod.name': TEXT,
  'io.kubernetes.pod.uid': TEXT,
  'io.kubernetes.container.name': TEXT,
};

/** Annotations and variables in a container's OCI configuration (config.md of runtime-spec). */
export function ociShape(
  annotations: Readonly<Record<string, Shape>>,
  variables: readonly string[],
): Members {
  const process = members({ env: variablesNamed(variables) });
  return members({ annotations: members(annotations), process });
}

/** Returns the variables in such a configuration. */
export function ociVariables(config: Readonly<Record<string, unknown>>): readonly string[] {
  return textsOf(objectOf(config.process)?.env);
}

/** The texts of an array; none for any other value. */
export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

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
