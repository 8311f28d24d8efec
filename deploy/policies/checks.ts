import type { DaemonSet, Part } from './pod-spec.ts';
import { defaulted } from './pod-spec.ts';

/** What a policy demands: an expression in CEL, and what it says if that is false. */
export interface Check {
  readonly message: string;
  readonly expression: string;
}

/** The user as whom the controller of DaemonSets creates pods, with and without its own account. */
const CONTROLLERS = [
  'system:serviceaccount:kube-system:daemon-set-controller',
  'system:kube-controller-manager',
];

/** The volume that the API server adds to a pod with the token of its account. */
const TOKEN = 'kube-api-access-';
const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The CEL text for the specification of the pod, in an object that is a Pod or a DaemonSet. */
export function specOf(object: string): string {
  return `(dyn(${object}).kind == 'DaemonSet' ? dyn(${object}).spec.template.spec : dyn(${object}).spec)`;
}

/**
 * Returns what is true of the agent's DaemonSet and of its pods only. `object` and `spec` are CEL for
 * the object and for the specification of its pod.
 */
export function checksOf(agent: DaemonSet, object: string, spec: string): Check[] {
  const expected = defaulted(agent.spec.template.spec);
  const [container] = expected.containers;
  const { name } = agent.metadata;
  const every = (condition: string) => `${spec}.containers.all(c, ${condition})`;
  const isSet = (field: string) => `has(${spec}.${field}) && ${spec}.${field}`;
  const flag = (field: 'hostPID' | 'hostNetwork') =>
    expected[field] === true ? isSet(field) : `!(${isSet(field)})`;
  const hostPort = expected.hostNetwork ? 'p.hostPort == p.containerPort' : 'p.hostPort == 0';
  const probe = (field: 'livenessProbe' | 'readinessProbe') =>
    `has(c.${field}) && has(c.${field}.httpGet) && c.${field}.httpGet == ${literal(container[field].httpGet)}`;
  const isToken = `v.name.startsWith('${TOKEN}') && has(v.projected)`;
  const isTokenMount = `m.name.startsWith('${TOKEN}') && m.mountPath == '${TOKEN_PATH}' && has(m.readOnly) && m.readOnly`;
  return [
    {
      message: `the only DaemonSet here is ${name}`,
      expression: `${object}.kind != 'DaemonSet' || ${object}.metadata.name == ${literal(name)}`,
    },
    {
      message: 'the pod has one container, which is the agent',
      expression: [
        `size(${spec}.containers) == 1`,
        every(`c.name == ${literal(container.name)}`),
        none(spec, 'initContainers'),
        none(spec, 'ephemeralContainers'),
      ].join(' && '),
    },
    {
      message: `the image is ${container.image}`,
      expression: every(`c.image == ${literal(container.image)}`),
    },
    {
      message: `the agent is started with: ${container.args.join(' ')}`,
      expression: every(
        `${none('c', 'command')} && has(c.args) && c.args == ${literal(container.args)} && !has(c.lifecycle) && !has(c.startupProbe)`,
      ),
    },
    {
      message: 'the environment has variables of the chart only',
      expression: every(
        `${none('c', 'envFrom')} && (!has(c.env) || c.env.all(e, e in ${literal(container.env)}))`,
      ),
    },
    {
      message: 'the probes are those of the chart',
      expression: every(`${probe('livenessProbe')} && ${probe('readinessProbe')}`),
    },
    {
      message: 'the security context is that of the chart',
      expression: every(
        `has(c.securityContext) && c.securityContext == ${literal(container.securityContext)}`,
      ),
    },
    {
      message: 'the pod has no security context of its own',
      expression: `!has(${spec}.securityContext) || size(${spec}.securityContext) == 0`,
    },
    {
      message: 'the namespaces of the host are those of the chart',
      expression: [
        flag('hostPID'),
        flag('hostNetwork'),
        `!(${isSet('hostIPC')})`,
        `!(${isSet('shareProcessNamespace')})`,
        `(!has(${spec}.hostUsers) || ${spec}.hostUsers)`,
      ].join(' && '),
    },
    {
      message: 'the agent has no port of the host',
      expression: every(`!has(c.ports) || c.ports.all(p, !has(p.hostPort) || ${hostPort})`),
    },
    {
      message: 'the volumes are those of the chart',
      expression: `(!has(${spec}.volumes) || ${spec}.volumes.all(v, (${isToken}) || v in ${literal(expected.volumes)})) && ${none(spec, 'resourceClaims')}`,
    },
    {
      message: 'the mounts are those of the chart',
      expression: every(
        `(!has(c.volumeMounts) || c.volumeMounts.all(m, (${isTokenMount}) || m in ${literal(container.volumeMounts)})) && ${none('c', 'volumeDevices')}`,
      ),
    },
    {
      message: `the account is ${expected.serviceAccountName}`,
      expression: `has(${spec}.serviceAccountName) && ${spec}.serviceAccountName == ${literal(expected.serviceAccountName)}`,
    },
    {
      message: 'the runtime is that of the node',
      expression: `!has(${spec}.runtimeClassName)`,
    },
  ];
}

/** What is true of a request that creates a pod of the DaemonSet; only an API server knows it. */
export function creatorCheck({ metadata }: DaemonSet): Check {
  const owner = `o.kind == 'DaemonSet' && o.name == ${literal(metadata.name)} && has(o.controller) && o.controller`;
  return {
    message: `the controller of DaemonSets creates the pods, for ${metadata.name}`,
    expression: [
      `object.kind != 'Pod' || request.operation != 'CREATE'`,
      `(request.userInfo.username in ${literal(CONTROLLERS)} && has(object.metadata.ownerReferences) && object.metadata.ownerReferences.exists(o, ${owner}))`,
    ].join(' || '),
  };
}

function none(parent: string, field: string): string {
  return `(!has(${parent}.${field}) || size(${parent}.${field}) == 0)`;
}

/** Returns a value as CEL. Kubernetes demands that all values of a list or map have one type, such as dyn. */
function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value as Part).filter(([, one]) => one !== undefined);
    return `{${fields.map(([key, one]) => `${literal(key)}: dyn(${literal(one)})`).join(', ')}}`;
  }
  if (typeof value !== 'string') return String(value);
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;
}
