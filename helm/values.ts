import * as z from 'zod';
import { configValues } from './config-values.ts';

/** Every value of the chart, declared once: values.yaml, its schema and its README come from here. */
export const values = z.strictObject({
  image: z
    .strictObject({
      repository: text('vcml-agent', 'Repository of the image; `make image` builds one.'),
      tag: text('', 'Tag of the image; empty: the appVersion of the chart.'),
      digest: pattern(
        '',
        /^(sha256:[0-9a-f]{64})?$/,
        'Digest of the image; it takes precedence over the tag.',
      ),
      pullPolicy: pullPolicy(),
    })
    .describe('Image of the agent.'),
  imagePullSecrets: objects('Secrets for pulling images, such as `- name: registry`.'),
  nameOverride: text('', 'Name to use in place of the name of the chart.'),
  fullnameOverride: text(
    '',
    'Name of all objects; empty: a name derived from the name of the release.',
  ),

  config: configValues.describe(
    'Configuration of the agent, as described in docs/configuration.md. The chart itself sets what ' +
      'concerns the pod: the name of the node, the folder of the journal, the addresses of probes and ' +
      'metrics, and that the agent mounts no bpffs.',
  ),
  secrets: z
    .array(z.string().regex(/^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/))
    .default([])
    .describe(
      'Existing Secrets to mount at /etc/vcml-agent/secrets/NAME. Use the files in them in `config`, ' +
        'such as `exportCertificate: /etc/vcml-agent/secrets/otlp/ca.crt`.',
    ),

  runtime: z
    .strictObject({
      type: z
        .enum(['containerd', 'k3s', 'k0s', 'microk8s', 'cri-o', 'docker', 'none'])
        .default('containerd')
        .describe(
          'Container runtime of the nodes. The agent reads its state to name a container before the API ' +
            'server knows it. Use k3s for RKE2 as well. With `none`, names come from the API server only.',
        ),
      dir: text(
        '',
        'Folder on the node with the bundles of the containers; empty: the usual folder of the ' +
          'runtime. Do not use a folder that contains the socket of the runtime.',
      ),
    })
    .describe('The part of the container runtime that the agent can read.'),
  hostPaths: z
    .strictObject({
      journal: text(
        '/var/lib/vcml-agent',
        'Folder on each node that holds the journal. The folder stays after an uninstall. So does the ' +
          'journal, unless `config.journalOnUninstall` is delete.',
      ),
      bpffs: text('/sys/fs/bpf', 'bpffs of the node, in which the hook is pinned.'),
      cgroup: text(
        '/sys/fs/cgroup',
        'Cgroup file system of the node; it shows which container a process is in.',
      ),
      machineId: text(
        '/etc/machine-id',
        'File with the machine id of the node, the `host.id` of records; empty if nodes have none.',
      ),
    })
    .describe('Folders and files of the node to mount.'),

  privileged: yesOrNo(
    false,
    'Run the agent as privileged. This is needed only if the agent exits with code 77 and says that ' +
      'it has the capabilities: then a seccomp profile or a security module forbids BPF.',
  ),
  capabilities: z
    .array(z.string())
    .default(['BPF', 'PERFMON', 'SYS_PTRACE'])
    .describe(
      'Capabilities of the agent, which runs as root; docs/privileges.md explains each. Kernels before ' +
        '5.11 need SYS_RESOURCE as well; runtimes that do not know BPF and PERFMON need SYS_ADMIN.',
    ),
  leastPrivilege: yesOrNo(
    false,
    'Run without `hostPID` and without SYS_PTRACE. Everything is recorded and linked all the same, but ' +
      'the agent cannot name processes older than the hook, and may miss entries into containers older ' +
      'than itself; docs/privileges.md lists what is missing.',
  ),
  seccompProfile: object({ type: 'RuntimeDefault' }, 'Seccomp profile of the pod.'),
  seLinuxOptions: object(
    { type: 'spc_t' },
    'SELinux options. Other types may neither use BPF nor the folders of the node. Ignored without SELinux.',
  ),
  appArmorProfile: object(
    { type: 'Unconfined' },
    'AppArmor profile. The default profiles of container runtimes forbid writing to a bpffs and ' +
      'reading other processes. Ignored without AppArmor.',
  ),
  openshift: z
    .strictObject({
      enabled: yesOrNo(false, 'Let the account of the agent use a SecurityContextConstraints.'),
      scc: text('privileged', 'Name of the SecurityContextConstraints.'),
    })
    .describe('Settings for OpenShift.'),
  hostNetwork: yesOrNo(
    false,
    'Use the network of the node, for example to reach a collector at 127.0.0.1. Metrics are then ' +
      'served at the address of the node, to everyone who reaches it, because no NetworkPolicy applies there.',
  ),

  ipv6: yesOrNo(false, 'Set this if the first addresses of pods and nodes are IPv6.'),

  serviceAccount: z
    .strictObject({
      create: yesOrNo(true, 'Create the service account.'),
      name: text(
        '',
        'Name of the service account; empty: a name derived from the name of the release. Required if `create` is false.',
      ),
      annotations: strings('Annotations of the service account.'),
    })
    .describe('Service account of the agent.'),
  rbac: z
    .strictObject({
      create: yesOrNo(
        true,
        'Create roles and bindings with exactly the rights that `config` needs.',
      ),
    })
    .describe('Rights of the service account.'),

  telemetry: z
    .strictObject({
      enabled: yesOrNo(true, 'Serve metrics, at the address of the pod only.'),
      port: port(9469, 'Port of the metrics; `networkPolicy.from` says who reaches it.'),
    })
    .describe('Metrics of the agent.'),
  probePort: port(
    9470,
    'Port of the probes, on a listener of their own. With `hostNetwork`, it is a port of the loopback interface of the node.',
  ),
  livenessProbe: probe(
    { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    'Times of the liveness probe, which requests /livez.',
  ),
  readinessProbe: probe(
    { periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 3 },
    'Times of the readiness probe, which requests /readyz.',
  ),

  agentMemoryMiB: z
    .int()
    .min(64)
    .default(128)
    .describe(
      'Memory for the process itself. The memory limit is the sum of this, the ring buffer ' +
        '(`config.ringSize`), the table of causes (`config.tableEntries`, 152 bytes each), the table of ' +
        'cgroups (3 MiB) and what `possibleCpus` takes, because kernel maps count as memory of the pod.',
    ),
  possibleCpus: z
    .int()
    .min(1)
    .max(8192)
    .default(64)
    .describe(
      'Number of possible CPUs of the largest node, as in /sys/devices/system/cpu/possible; machines ' +
        'to which CPUs can be added have more than they use. Each takes 178 KiB of kernel maps.',
    ),
  resources: object(
    { requests: { cpu: '100m' } },
    'Requests and limits of the agent. If you set no memory limit or request, the chart computes it ' +
      'as described for agentMemoryMiB. The CPU request is the share of the agent when all CPUs are ' +
      'busy: 100m is enough to record and export some 4,000 execs per second. A CPU limit delays ' +
      'records, and loses them when the ring buffer is full.',
  ),
  tolerations: objects(
    'Tolerations of the pods; the default tolerates every taint, so that the agent runs on every node.',
    [{ operator: 'Exists' }],
  ),
  nodeSelector: strings('Node selector of the pods.', { 'kubernetes.io/os': 'linux' }),
  affinity: object({}, 'Affinity of the pods.'),
  updateStrategy: object(
    { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%' } },
    'Update strategy of the DaemonSet. A surge is not possible, because there is one agent for each ' +
      'kernel. Helm 3 counts `maxUnavailable` pods as ready when it waits, and so all on a single node.',
  ),
  terminationGracePeriodSeconds: z
    .int()
    .min(15)
    .default(30)
    .describe(
      'Time for the agent to stop: to write and export the remaining records, and to ask the API server.',
    ),
  priorityClass: z
    .strictObject({
      create: yesOrNo(false, 'Create a PriorityClass, so that a full node still runs the agent.'),
      name: text(
        '',
        'Name of an existing PriorityClass, such as `system-node-critical`, or of the new one.',
      ),
      value: z.int().default(1_000_000).describe('Priority of the new PriorityClass.'),
    })
    .describe('PriorityClass of the pods.'),

  labels: strings('Additional labels of all objects.'),
  annotations: strings('Annotations of the DaemonSet.'),
  podLabels: strings('Additional labels of the pods.'),
  podAnnotations: strings('Additional annotations of the pods.'),
  extraEnv: z
    .array(
      z.strictObject({
        name: z.string(),
        value: z.string().optional(),
        valueFrom: z.record(z.string(), z.unknown()).optional(),
      }),
    )
    .default([])
    .describe(
      'Additional environment variables, such as `- {name: OTEL_RESOURCE_ATTRIBUTES, value: "a=b"}`.',
    ),
  extraVolumes: objects('Additional volumes of the pods.'),
  extraVolumeMounts: objects('Mounts of these volumes in the container of the agent.'),

  podMonitor: z
    .strictObject({
      enabled: yesOrNo(false, 'Create a PodMonitor for the Prometheus operator.'),
      labels: strings('Labels of the PodMonitor, by which Prometheus selects it.'),
      interval: text('30s', 'Interval between two scrapes.'),
    })
    .describe('Scraping of the metrics.'),
  prometheusRule: z
    .strictObject({
      enabled: yesOrNo(false, 'Create a PrometheusRule with the alerts of deploy/alerts.'),
      labels: strings('Labels of the PrometheusRule, by which Prometheus selects it.'),
      runbookUrl: text('', 'Base URL of docs/runbooks; each alert then links to its page.'),
    })
    .describe('Alerts.'),
  dashboard: z
    .strictObject({
      enabled: yesOrNo(false, 'Create a ConfigMap with the dashboard of deploy/dashboards.'),
      labels: strings('Labels of the ConfigMap, by which the Grafana sidecar finds it.', {
        grafana_dashboard: '1',
      }),
      annotations: strings('Annotations of the ConfigMap, such as the folder of the dashboard.'),
    })
    .describe('Dashboard for Grafana.'),
  networkPolicy: z
    .strictObject({
      enabled: yesOrNo(
        true,
        'Create a NetworkPolicy that admits only `from`, and only to the port of `telemetry`. The ' +
          'kubelet always reaches the pods of its node. There is none with `hostNetwork`.',
      ),
      from: objects(
        'Ingress peers (`from`) of the NetworkPolicy: who may scrape the metrics; empty: nobody.',
      ),
      egress: objects(
        'Egress rules of the NetworkPolicy; empty allows everything. The agent connects to DNS, the ' +
          'API server and the collector.',
      ),
    })
    .describe('NetworkPolicy of the pods.'),

  collector: z
    .strictObject({
      enabled: yesOrNo(
        false,
        'Create a Collector to try things out. It prints the records and writes them to a file that ' +
          'is deleted with its pod.',
      ),
      image: z
        .strictObject({
          repository: text('otel/opentelemetry-collector-contrib', 'Repository of the image.'),
          tag: text('0.162.0', 'Tag of the image.'),
          digest: pattern(
            '',
            /^(sha256:[0-9a-f]{64})?$/,
            'Digest of the image; it takes precedence over the tag.',
          ),
          pullPolicy: pullPolicy(),
        })
        .describe('Image of the Collector; it must contain the exporters `debug` and `file`.'),
      verbosity: z
        .enum(['basic', 'normal', 'detailed'])
        .default('normal')
        .describe('How much of each record `kubectl logs` shows; normal shows one line.'),
      resources: object(
        { requests: { cpu: '25m', memory: '128Mi' }, limits: { memory: '512Mi' } },
        'Requests and limits of the Collector.',
      ),
      nodeSelector: strings('Node selector of the Collector.'),
      tolerations: objects('Tolerations of the Collector.'),
    })
    .describe('Collector of this chart, for trying things out.'),

  tests: z
    .strictObject({
      enabled: yesOrNo(true, 'Create the pods of `helm test`.'),
      timeoutSeconds: z
        .int()
        .min(1)
        .default(90)
        .describe('Time that the test waits for its record.'),
    })
    .describe(
      'Test of the release: `helm test` checks that an exec of its pod reaches the journal and, if ' +
        'one is set, the receiver. A second pod, with the rights of the agent, checks its node.',
    ),
  global: object(
    {},
    'Values that a parent chart shares with its subcharts; this chart uses none of them.',
  ),
});

function text(value: string, about: string) {
  return z.string().default(value).describe(about);
}

function pattern(value: string, form: RegExp, about: string) {
  return z.string().regex(form).default(value).describe(about);
}

function port(value: number, about: string) {
  return z.int().min(1).max(65535).default(value).describe(about);
}

function yesOrNo(value: boolean, about: string) {
  return z.boolean().default(value).describe(about);
}

/** Labels, annotations: what Kubernetes takes as texts only. */
function strings(about: string, value: Record<string, string> = {}) {
  return z.record(z.string(), z.string()).default(value).describe(about);
}

/** The times of a probe; what it requests is the chart's. */
function probe(value: Record<string, number>, about: string) {
  const seconds = z.int().min(0).optional();
  return z
    .strictObject({
      initialDelaySeconds: seconds,
      periodSeconds: seconds,
      timeoutSeconds: seconds,
      failureThreshold: seconds,
    })
    .default(value)
    .describe(about);
}

/** An object that Kubernetes itself checks. */
function object(value: Record<string, unknown>, about: string) {
  return z.record(z.string(), z.unknown()).default(value).describe(about);
}

function objects(about: string, value: Record<string, unknown>[] = []) {
  return z.array(z.record(z.string(), z.unknown())).default(value).describe(about);
}

function pullPolicy() {
  return z
    .enum(['Always', 'IfNotPresent', 'Never'])
    .default('IfNotPresent')
    .describe('Pull policy of the image.');
}
