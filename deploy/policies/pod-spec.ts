/** A part of an object of Kubernetes. */
export type Part = Readonly<Record<string, unknown>>;

/** The agent's DaemonSet, as far as policies are made from it. */
export interface DaemonSet {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: { readonly template: { readonly spec: PodSpec } };
}

/** The specification of the agent's pod. */
export interface PodSpec {
  readonly serviceAccountName: string;
  readonly hostPID?: boolean;
  readonly hostNetwork?: boolean;
  readonly hostUsers?: boolean;
  readonly containers: readonly [Container];
  readonly volumes: readonly Volume[];
}

/** The agent's container. */
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly Part[];
  readonly livenessProbe: { readonly httpGet: Part };
  readonly readinessProbe: { readonly httpGet: Part };
  readonly securityContext: SecurityContext;
  readonly volumeMounts: readonly VolumeMount[];
}

export interface SecurityContext extends Part {
  readonly privileged?: boolean;
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
  readonly appArmorProfile?: { readonly type: string; readonly localhostProfile?: string };
}

export interface VolumeMount extends Part {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: boolean;
}

export interface Volume extends Part {
  readonly name: string;
  readonly hostPath?: { readonly path: string; readonly type?: string };
  readonly configMap?: Part;
  readonly secret?: Part;
}

/** The mode of files from a ConfigMap or a Secret for which the pod names none: 0644. */
const DEFAULT_MODE = 0o644;

/** Returns a pod's specification with what the API server adds to the fields that policies compare. */
export function defaulted(spec: PodSpec): PodSpec {
  const [agent] = spec.containers;
  const probe = ({ httpGet, ...rest }: { readonly httpGet: Part }) => ({
    ...rest,
    httpGet: { scheme: 'HTTP', ...httpGet },
  });
  const container: Container = {
    ...agent,
    env: agent.env.map(withApiVersion),
    livenessProbe: probe(agent.livenessProbe),
    readinessProbe: probe(agent.readinessProbe),
  };
  return { ...spec, containers: [container], volumes: spec.volumes.map(withDefaults) };
}

function withApiVersion(variable: Part): Part {
  const { valueFrom, ...rest } = variable;
  if (valueFrom === undefined) return variable;
  const { fieldRef, ...other } = valueFrom as { readonly fieldRef?: Part };
  if (fieldRef === undefined) return variable;
  return { ...rest, valueFrom: { ...other, fieldRef: { apiVersion: 'v1', ...fieldRef } } };
}

function withDefaults({ name, hostPath, configMap, secret, ...rest }: Volume): Volume {
  if (hostPath) return { name, hostPath: { type: '', ...hostPath } };
  if (configMap) return { name, configMap: { defaultMode: DEFAULT_MODE, ...configMap } };
  if (secret) return { name, secret: { defaultMode: DEFAULT_MODE, ...secret } };
  return { name, ...rest };
}
