/** A change of the agent's pod, and what policies say of it. */
export type Widened = readonly [what: string, change: (pod: Pod) => unknown, message: RegExp];

/** A pod's specification that a test changes. */
export interface Pod {
  [field: string]: unknown;
  containers: Container[];
  volumes: { [field: string]: unknown; hostPath?: { path: string; type?: string } }[];
}

interface Container {
  [field: string]: unknown;
  image: string;
  env: object[];
  ports: { containerPort: number; hostPort?: number }[];
  volumeMounts: { [field: string]: unknown; name: string; readOnly?: boolean }[];
  securityContext: { [field: string]: unknown; capabilities: { add: string[]; drop: string[] } };
}

const ONE_CONTAINER = /the pod has one container/;
const IMAGE = /the image is/;
const STARTED = /the agent is started with: run/;
const ENVIRONMENT = /the environment has variables of the chart only/;
const PROBES = /the probes are those of the chart/;
const SECURITY = /the security context is that of the chart/;
const NAMESPACES = /the namespaces of the host are those of the chart/;
const VOLUMES = /the volumes are those of the chart/;
const MOUNTS = /the mounts are those of the chart/;

/** Pods that may do more than the agent, or something else; a policy must refuse each. */
export const WIDENED: readonly Widened[] = [
  ['a second container', ({ containers }) => containers.push(other('second')), ONE_CONTAINER],
  ['an init container', (pod) => (pod.initContainers = [other('init')]), ONE_CONTAINER],
  ['another name of the container', inAgent({ name: 'shell' }), ONE_CONTAINER],
  ['a tag', inAgent({ image: 'vcml-agent:0.1.0' }), IMAGE],
  ['another digest', inAgent({ image: `vcml-agent@sha256:${'1'.repeat(64)}` }), IMAGE],
  ['another repository', inAgent({ image: `x/vcml-agent@sha256:${'0'.repeat(64)}` }), IMAGE],
  ['another command', inAgent({ command: ['/bin/sh'] }), STARTED],
  ['other arguments', inAgent({ args: ['run', '--journal-dir=/'] }), STARTED],
  ['no arguments', inAgent({ args: undefined }), STARTED],
  ['a hook', inAgent({ lifecycle: { postStart: { exec: { command: ['sh'] } } } }), STARTED],
  ['a startup probe', inAgent({ startupProbe: { exec: { command: ['sh'] } } }), STARTED],
  ['a variable', env({ name: 'NODE_OPTIONS', value: '--require=/tmp/x.js' }), ENVIRONMENT],
  ['another value', env({ name: 'VCML_AGENT_CONFIG', value: '/tmp/x.yaml' }), ENVIRONMENT],
  ['variables of a Secret', inAgent({ envFrom: [{ secretRef: { name: 'x' } }] }), ENVIRONMENT],
  ['a command as probe', inAgent({ livenessProbe: { exec: { command: ['sh'] } } }), PROBES],
  [
    'a probe elsewhere',
    inAgent({ readinessProbe: { httpGet: { port: 1, host: '192.0.2.1' } } }),
    PROBES,
  ],
  ['a capability', inSecurity(({ capabilities }) => capabilities.add.push('SYS_ADMIN')), SECURITY],
  ['no dropped capabilities', inSecurity(({ capabilities }) => (capabilities.drop = [])), SECURITY],
  ['a writable root', inSecurity((context) => (context.readOnlyRootFilesystem = false)), SECURITY],
  [
    'no seccomp',
    inSecurity((context) => (context.seccompProfile = { type: 'Unconfined' })),
    SECURITY,
  ],
  [
    'another SELinux role',
    inSecurity((context) => (context.seLinuxOptions = { role: 'sysadm_r' })),
    SECURITY,
  ],
  ['no security context', inAgent({ securityContext: undefined }), SECURITY],
  ['privileged', inAgent({ securityContext: { privileged: true } }), SECURITY],
  [
    'a context of the pod',
    (pod) => (pod.securityContext = { sysctls: [{ name: 'kernel.shm_rmid_forced', value: '0' }] }),
    /the pod has no security context of its own/,
  ],
  ['the network of the host', (pod) => (pod.hostNetwork = true), NAMESPACES],
  ['the IPC of the host', (pod) => (pod.hostIPC = true), NAMESPACES],
  [
    'a port of the host',
    (pod) => agentOf(pod).ports.push({ containerPort: 1, hostPort: 1 }),
    /no port of the host/,
  ],
  ['another folder', (pod) => volume(pod, 'journal', '/'), VOLUMES],
  [
    'another type of a folder',
    (pod) => volume(pod, 'bpffs', '/sys/fs/bpf', 'DirectoryOrCreate'),
    VOLUMES,
  ],
  ['a volume', (pod) => pod.volumes.push({ name: 'root', hostPath: { path: '/' } }), VOLUMES],
  [
    'a socket',
    (pod) => pod.volumes.push({ name: 's', hostPath: { path: '/run/containerd/containerd.sock' } }),
    VOLUMES,
  ],
  [
    'another ConfigMap',
    (pod) => Object.assign(pod.volumes[0] ?? {}, { configMap: { name: 'x' } }),
    VOLUMES,
  ],
  [
    'a writable mount',
    (pod) => {
      for (const mount of agentOf(pod).volumeMounts) {
        mount.readOnly = false;
        mount.recursiveReadOnly = undefined;
      }
    },
    MOUNTS,
  ],
  [
    'propagation',
    mount({ name: 'bpffs', mountPath: '/x', mountPropagation: 'HostToContainer' }),
    MOUNTS,
  ],
  ['a part of a volume', mount({ name: 'bpffs', mountPath: '/x', subPath: 'x' }), MOUNTS],
  ['another place', mount({ name: 'bpffs', mountPath: '/usr/bin' }), MOUNTS],
  ['another account', (pod) => (pod.serviceAccountName = 'default'), /the account is vcml-agent/],
  ['another runtime', (pod) => (pod.runtimeClassName = 'x'), /the runtime is that of the node/],
];

function agentOf({ containers: [agent] }: Pod): Container {
  if (agent === undefined) throw new Error('the pod has no container');
  return agent;
}

function inAgent(fields: object) {
  return (pod: Pod) => {
    Object.assign(agentOf(pod), fields);
  };
}

function inSecurity(change: (context: Container['securityContext']) => unknown) {
  return (pod: Pod) => {
    change(agentOf(pod).securityContext);
  };
}

function env(variable: object) {
  return (pod: Pod) => {
    agentOf(pod).env.push(variable);
  };
}

function mount(one: Container['volumeMounts'][number]) {
  return (pod: Pod) => {
    agentOf(pod).volumeMounts.push(one);
  };
}

function volume(pod: Pod, name: string, path: string, type = 'Directory'): void {
  for (const one of pod.volumes) if (one.name === name) one.hostPath = { path, type };
}

function other(name: string): Container {
  const nothing = { env: [], ports: [], volumeMounts: [] };
  const securityContext = { capabilities: { add: [], drop: [] } };
  return { name, image: 'busybox', ...nothing, securityContext };
}
