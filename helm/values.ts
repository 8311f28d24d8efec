import * as z from 'zod';
import { configValues } from './config-values.ts';

/** Every value of the chart, declared once: values.yaml, its schema and its README come from here. */
export const values = z.strictObject({
  image: z
    .strictObject({
      repository: text('vcml-agent', 'Where the image is; `make image` builds it.'),
      tag: text('', 'Its tag; empty: the chart’s appVersion.'),
      digest: pattern('', /^(sha256:[0-9a-f]{64})?$/, 'Its digest, which goes before the tag.'),
      pullPolicy: pullPolicy(),
    })
    .describe('The agent’s image.'),
  imagePullSecrets: objects('Secrets to pull images with, such as `- name: registry`.'),
  nameOverride: text('', 'A name in place of the chart’s.'),
  fullnameOverride: text(
    '',
    'What all objects are called, in place of a name made of the release’s.',
  ),

  config: configValues.describe(
    'The agent’s configuration, as in docs/configuration.md. What is about the pod itself has values ' +
      'of its own, or is set: the node’s name, the journal’s folder, the address of probes and ' +
      'metrics, and that no bpffs is mounted in the pod.',
  ),
  secrets: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Existing Secrets, mounted at /etc/vcml-agent/secrets/NAME. `config` names the files in them, ' +
        'such as `exportCertificate: /etc/vcml-agent/secrets/otlp/ca.crt`.',
    ),

  runtime: z
    .strictObject({
      type: z
        .enum(['containerd', 'k3s', 'k0s', 'microk8s', 'cri-o', 'docker', 'none'])
        .default('containerd')
        .describe(
          'The nodes’ container runtime: its state names a container before the API server does. k3s ' +
            'stands for RKE2 as well; with `none` names come from the API server alone.',
        ),
      dir: text(
        '',
        'The folder with the containers’ bundles on the node, where it is not the usual one. Never ' +
          'one with the runtime’s socket in it.',
      ),
    })
    .describe('What the agent sees of the container runtime.'),
  hostPaths: z
    .strictObject({
      journal: text(
        '/var/lib/vcml-agent',
        'The folder on each node that gets the journal. It stays after an uninstall; what is in it, unless ' +
          '`config.journalOnUninstall` is delete.',
      ),
      bpffs: text('/sys/fs/bpf', 'The node’s bpffs, in which the hook is pinned.'),
      cgroup: text('/sys/fs/cgroup', 'The node’s cgroups: which container a process is in.'),
      machineId: text(
        '/etc/machine-id',
        'The node’s machine id, `host.id` of records; empty where nodes have none.',
      ),
    })
    .describe('What is mounted of the node.'),

  privileged: yesOrNo(
    false,
    'Run with all rights. Needed only where the agent ends with exit code 77 and says that the ' +
      'capabilities are there: a seccomp profile or a security module forbids BPF.',
  ),
  capabilities: z
    .array(z.string())
    .default(['BPF', 'PERFMON', 'SYS_PTRACE'])
    .describe(
      'All that the agent may do, beside being root: docs/privileges.md has what for. Kernels before ' +
        '5.11 need SYS_RESOURCE as well; runtimes that do not know BPF and PERFMON need SYS_ADMIN.',
    ),
  seccompProfile: object({ type: 'RuntimeDefault' }, 'The seccomp profile.'),
  seLinuxOptions: object(
    { type: 'spc_t' },
    'SELinux: other types may neither use BPF nor the folders of the node. Ignored without SELinux.',
  ),
  appArmorProfile: object(
    { type: 'Unconfined' },
    'AppArmor: runtimes’ own profiles forbid to write to a bpffs, and to look at other processes. ' +
      'Ignored without AppArmor.',
  ),
  openshift: z
    .strictObject({
      enabled: yesOrNo(false, 'Let the agent’s account use a SecurityContextConstraints.'),
      scc: text('privileged', 'Which one.'),
    })
    .describe('OpenShift.'),
  hostNetwork: yesOrNo(
    false,
    'Use the node’s network: for a collector at 127.0.0.1. Metrics are then at the node’s address.',
  ),

  ipv6: yesOrNo(false, 'The first addresses of pods and nodes are IPv6.'),

  serviceAccount: z
    .strictObject({
      create: yesOrNo(true, 'Make the account.'),
      name: text('', 'Its name; empty: one made of the release’s. Needed where it is not made.'),
      annotations: strings('Its annotations.'),
    })
    .describe('The agent’s account.'),
  rbac: z
    .strictObject({
      create: yesOrNo(true, 'Make roles and bindings, with what `config` needs and no more.'),
    })
    .describe('The account’s rights.'),

  telemetry: z
    .strictObject({
      enabled: yesOrNo(true, 'Serve metrics and the probes’ paths, at the pod’s address alone.'),
      port: z.int().min(1).max(65535).default(9469).describe('The port.'),
    })
    .describe('What the agent tells of itself.'),
  livenessProbe: object(
    { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    'How /livez is asked.',
  ),
  readinessProbe: object(
    { periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 3 },
    'How /readyz is asked.',
  ),

  agentMemoryMiB: z
    .int()
    .min(64)
    .default(128)
    .describe(
      'What the process itself may take. The memory limit is this, the ring (`config.ringSize`) and ' +
        'the table of causes (`config.tableEntries`, 152 bytes each), since the kernel’s maps count as ' +
        'the pod’s.',
    ),
  resources: object(
    { requests: { cpu: '100m' } },
    'Requests and limits of the agent. A memory limit or request that is not here is made as above. ' +
      'The CPU request is its share where all CPUs are busy: 100m are some 4,000 execs a second, ' +
      'exported. A CPU limit delays records, and loses them when the ring is full.',
  ),
  tolerations: objects('Which taints are tolerated: all, to see every node.', [
    { operator: 'Exists' },
  ]),
  nodeSelector: object({ 'kubernetes.io/os': 'linux' }, 'On which nodes.'),
  affinity: object({}, 'On which nodes, in more words.'),
  updateStrategy: object(
    { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%' } },
    'How an upgrade goes over the nodes. There is one agent for each kernel: no surge.',
  ),
  terminationGracePeriodSeconds: z
    .int()
    .min(15)
    .default(30)
    .describe('How long an agent may take to end: to write, to ask the API server, to export.'),
  priorityClass: z
    .strictObject({
      create: yesOrNo(
        false,
        'Make a PriorityClass, so that a full node does not do without agent.',
      ),
      name: text(
        '',
        'An existing one, such as `system-node-critical`; or what the new one is called.',
      ),
      value: z.int().default(1_000_000).describe('The priority of the one that is made.'),
    })
    .describe('The pods’ priority.'),

  labels: strings('More labels for all objects.'),
  annotations: strings('Annotations of the DaemonSet.'),
  podLabels: strings('More labels of the pods.'),
  podAnnotations: strings('More annotations of the pods.'),
  extraEnv: objects('More variables, such as `- {name: OTEL_RESOURCE_ATTRIBUTES, value: "a=b"}`.'),
  extraVolumes: objects('More volumes of the pods.'),
  extraVolumeMounts: objects('Where they are mounted in the agent.'),

  podMonitor: z
    .strictObject({
      enabled: yesOrNo(false, 'Make a PodMonitor, for the Prometheus operator.'),
      labels: strings('Its labels, by which a Prometheus selects.'),
      interval: text('30s', 'How often is scraped.'),
    })
    .describe('Scraping of the metrics.'),
  prometheusRule: z
    .strictObject({
      enabled: yesOrNo(false, 'Make a PrometheusRule with the alerts of deploy/alerts.'),
      labels: strings('Its labels, by which a Prometheus selects.'),
      runbookUrl: text(
        '',
        'Where docs/runbooks is to be read; each alert gets its page’s address.',
      ),
    })
    .describe('Alerts.'),
  dashboard: z
    .strictObject({
      enabled: yesOrNo(false, 'Make a ConfigMap with the dashboard of deploy/dashboards.'),
      labels: strings('Its labels, by which Grafana’s sidecar finds it.', {
        grafana_dashboard: '1',
      }),
      annotations: strings('Its annotations, such as the folder.'),
    })
    .describe('A dashboard for Grafana.'),
  networkPolicy: z
    .strictObject({
      enabled: yesOrNo(false, 'Make a NetworkPolicy: in only to the port of `telemetry`.'),
      from: objects('Who may scrape, as `from` of a NetworkPolicy; empty: all.'),
      egress: objects(
        'Where to the agent may, as `egress` of a NetworkPolicy: DNS, the API server, the collector. ' +
          'Empty: anywhere.',
      ),
    })
    .describe('A NetworkPolicy.'),

  collector: z
    .strictObject({
      enabled: yesOrNo(
        false,
        'Make a Collector that takes the records, for trying things out: it prints them, and keeps ' +
          'them in a file that goes with its pod.',
      ),
      image: z
        .strictObject({
          repository: text('otel/opentelemetry-collector-contrib', 'Where it is.'),
          tag: text('0.162.0', 'Its tag.'),
          digest: pattern('', /^(sha256:[0-9a-f]{64})?$/, 'Its digest, which goes before the tag.'),
          pullPolicy: pullPolicy(),
        })
        .describe('The Collector’s image; it needs the exporters `debug` and `file`.'),
      verbosity: z
        .enum(['basic', 'normal', 'detailed'])
        .default('normal')
        .describe('How much of a record `kubectl logs` shows; normal: a line for each.'),
      resources: object(
        { requests: { cpu: '25m', memory: '128Mi' }, limits: { memory: '512Mi' } },
        'Requests and limits.',
      ),
      nodeSelector: object({}, 'On which nodes.'),
      tolerations: objects('Which taints are tolerated.'),
    })
    .describe('A Collector of its own.'),

  tests: z
    .strictObject({
      enabled: yesOrNo(true, 'Make the pod of `helm test`.'),
      timeoutSeconds: z.int().min(1).default(90).describe('How long it waits for its record.'),
    })
    .describe(
      '`helm test`: an exec of its pod reaches the journal, and the receiver if there is one.',
    ),
  global: object({}, 'What a chart that contains this one shares; nothing of it is used.'),
});

function text(value: string, about: string) {
  return z.string().default(value).describe(about);
}

function pattern(value: string, form: RegExp, about: string) {
  return z.string().regex(form).default(value).describe(about);
}

function yesOrNo(value: boolean, about: string) {
  return z.boolean().default(value).describe(about);
}

/** Labels, annotations: what Kubernetes takes as texts only. */
function strings(about: string, value: Record<string, string> = {}) {
  return z.record(z.string(), z.string()).default(value).describe(about);
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
    .describe('When it is pulled.');
}
