import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CGROUP,
  CLUSTER_DOMAIN,
  DIR,
  NODE_ADDRESS,
  NODE_NAME,
  POD_RANGE,
  RUNTIME_ROOT,
  RUNTIME_SOCKET,
  RUNTIME_STATE,
  SERVICE_RANGE,
  STATIC_PODS,
} from './place.ts';

/** The image of pod sandboxes. */
export const PAUSE_IMAGE = 'localhost/pause:e2e';

/** The name of a runtime that moves a variable from the command line of an exec to its environment. */
export const RUNTIME_WITH_ENVIRONMENT = 'with-environment';

const LIMITED_RUNC = `${DIR}/limited-runc`;

/** Writes the configuration files of the components. */
export function writeSettings(): void {
  writeFileSync(`${DIR}/${RUNTIME_WITH_ENVIRONMENT}`, WITH_ENVIRONMENT, { mode: 0o755 });
  writeFileSync(`${DIR}/containerd.toml`, CONTAINERD);
  writeFileSync(LIMITED_RUNC, LIMITED, { mode: 0o755 });
  writeFileSync(`${DIR}/crio.toml`, CRI_O);
  write('policy.json', { default: [{ type: 'insecureAcceptAnything' }] });
  write('cni/10-pods.conflist', CNI);
  write('kubelet.yaml', KUBELET);
  write('kube-proxy.yaml', KUBE_PROXY);
  write('audit.yaml', AUDIT);
}

/** The command line of each component, with all paths in the cluster's folder. */
export const COMMANDS = {
  etcd: [
    'kube',
    'etcd',
    `--data-dir=${DIR}/etcd`,
    '--unsafe-no-fsync',
    '--listen-client-urls=http://127.0.0.1:2379',
    '--advertise-client-urls=http://127.0.0.1:2379',
    '--listen-peer-urls=http://127.0.0.1:2380',
  ],
  'kube-apiserver': [
    'kube',
    'kube-apiserver',
    '--etcd-servers=http://127.0.0.1:2379',
    `--advertise-address=${NODE_ADDRESS}`,
    '--secure-port=6443',
    '--allow-privileged',
    '--tls-cert-file=pki/apiserver.crt',
    '--tls-private-key-file=pki/apiserver.key',
    '--client-ca-file=pki/ca.crt',
    `--service-cluster-ip-range=${SERVICE_RANGE}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    '--service-account-key-file=pki/accounts.pub',
    '--service-account-signing-key-file=pki/accounts.key',
    '--kubelet-client-certificate=pki/admin.crt',
    '--kubelet-client-key=pki/admin.key',
    '--kubelet-certificate-authority=pki/ca.crt',
    '--kubelet-preferred-address-types=InternalIP',
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--audit-policy-file=audit.yaml',
    '--audit-log-path=log/audit.log',
  ],
  containerd: ['containerd', `--config=${DIR}/containerd.toml`],
  'cri-o': ['crio', `--config=${DIR}/crio.toml`, '--config-dir='],
  'kube-controller-manager': [
    'kube',
    'kube-controller-manager',
    '--kubeconfig=admin.conf',
    '--leader-elect=false',
    '--root-ca-file=pki/ca.crt',
    '--service-account-private-key-file=pki/accounts.key',
    '--use-service-account-credentials',
    // Otherwise it throttles itself for seconds while it starts.
    '--kube-api-qps=500',
    '--kube-api-burst=500',
  ],
  'kube-scheduler': ['kube', 'kube-scheduler', '--kubeconfig=admin.conf', '--leader-elect=false'],
  kubelet: [
    'kube',
    'kubelet',
    '--config=kubelet.yaml',
    '--kubeconfig=kubelet.conf',
    `--root-dir=${DIR}/kubelet`,
    `--cert-dir=${DIR}/pki`,
    `--hostname-override=${NODE_NAME}`,
    `--node-ip=${NODE_ADDRESS}`,
  ],
  dns: [process.execPath, join(import.meta.dirname, 'dns.ts')],
  'kube-proxy': [
    'kube',
    'kube-proxy',
    '--config=kube-proxy.yaml',
    `--hostname-override=${NODE_NAME}`,
  ],
} as const;

export type ComponentName = keyof typeof COMMANDS;

// restrict_oom_score_adj is set because runc cannot lower the score without CAP_SYS_RESOURCE.
const CONTAINERD = `version = 3
root = "${RUNTIME_ROOT}"
state = "${RUNTIME_STATE}"
disabled_plugins = ["io.containerd.nri.v1.nri"]
[grpc]
  address = "${RUNTIME_SOCKET}"
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "${PAUSE_IMAGE}"
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  Root = "${DIR}/runc"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.${RUNTIME_WITH_ENVIRONMENT}]
  runtime_type = "io.containerd.runc.v2"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.${RUNTIME_WITH_ENVIRONMENT}.options]
  Root = "${DIR}/runc"
  BinaryName = "${DIR}/${RUNTIME_WITH_ENVIRONMENT}"
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ["/usr/lib/cni", "/opt/cni/bin"]
  conf_dir = "${DIR}/cni"
`;

const CRI_O = `[crio]
root = "${RUNTIME_ROOT}"
runroot = "${RUNTIME_STATE}"
storage_driver = "overlay"
log_dir = "${DIR}/pods"
version_file = "${DIR}/cri-o/version"
clean_shutdown_file = "${DIR}/cri-o/clean.shutdown"
[crio.api]
listen = "${RUNTIME_SOCKET}"
[crio.runtime]
default_runtime = "runc"
cgroup_manager = "cgroupfs"
apparmor_profile = "unconfined"
hooks_dir = []
cdi_spec_dirs = []
container_exits_dir = "${DIR}/cri-o/exits"
container_attach_socket_dir = "${DIR}/cri-o/attach"
namespaces_dir = "${DIR}/cri-o/namespaces"
[crio.runtime.runtimes.runc]
runtime_path = "${LIMITED_RUNC}"
runtime_type = "oci"
runtime_root = "${DIR}/runc"
monitor_cgroup = "pod"
[crio.runtime.runtimes.${RUNTIME_WITH_ENVIRONMENT}]
runtime_path = "${DIR}/${RUNTIME_WITH_ENVIRONMENT}"
runtime_type = "oci"
runtime_root = "${DIR}/runc"
monitor_cgroup = "pod"
[crio.image]
pause_image = "${PAUSE_IMAGE}"
signature_policy = "${DIR}/policy.json"
signature_policy_dir = "${DIR}/cri-o/policies"
[crio.network]
network_dir = "${DIR}/cni"
plugin_dirs = ["/usr/lib/cni", "/opt/cni/bin"]
[crio.nri]
enable_nri = false
`;

/**
 * Leaves away what containerd leaves away by itself on a machine without CAP_SYS_RESOURCE and without
 * huge pages; CRI-O has no settings for that.
 */
const LIMITED = `#!/bin/sh
for argument; do
  if [ "$previous" = --bundle ]; then
    jq -c 'del(.process.oomScoreAdj, .linux.resources.hugepageLimits)
      | .process.capabilities |= map_values(. - ["CAP_SYS_RESOURCE"])' "$argument/config.json" \
      >"$argument/config.json.new" &&
      mv "$argument/config.json.new" "$argument/config.json"
  fi
  previous=$argument
done
exec runc "$@"
`;

/** Does to the process of an exec what Kubernetes 1.38 does by itself (KEP-6035). */
const WITH_ENVIRONMENT = `#!/bin/sh
for argument; do
  if [ "$previous" = --process ]; then
    jq -c 'if .args[0] == "env" and (.args[1] // "" | startswith("KUBERNETES_EXEC_AUDIT_ID="))
      then .env += [.args[1]] | .args |= .[2:] else . end' "$argument" >"$argument.new" &&
      cat "$argument.new" >"$argument" && rm "$argument.new"
  fi
  previous=$argument
done
exec ${LIMITED_RUNC} "$@"
`;

const CNI = {
  cniVersion: '0.4.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'pods0',
      isGateway: true,
      ipMasq: false,
      hairpinMode: true,
      ipam: {
        type: 'host-local',
        ranges: [[{ subnet: POD_RANGE }]],
        routes: [{ dst: '0.0.0.0/0' }],
        dataDir: `${DIR}/cni-ipam`,
      },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
};

const KUBELET = {
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  // On a hybrid machine, pods are also in the v2 hierarchy.
  failCgroupV1: false,
  cgroupDriver: 'cgroupfs',
  // In its own cgroup, it does not disturb another kubelet.
  cgroupRoot: `/${CGROUP}`,
  containerRuntimeEndpoint: `unix://${RUNTIME_SOCKET}`,
  staticPodPath: STATIC_PODS,
  fileCheckFrequency: '1s',
  podLogsDir: `${DIR}/pods`,
  volumePluginDir: `${DIR}/volume-plugins`,
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true },
    x509: { clientCAFile: `${DIR}/pki/ca.crt` },
  },
  authorization: { mode: 'Webhook' },
  // Only root can use its socket; it is on by default from 1.37 on.
  featureGates: { PodsAPI: true },
  tlsCertFile: `${DIR}/pki/kubelet.crt`,
  tlsPrivateKeyFile: `${DIR}/pki/kubelet.key`,
  clusterDNS: [NODE_ADDRESS],
  clusterDomain: CLUSTER_DOMAIN,
  resolvConf: '',
  // A full disk or little memory of the machine must not fail the tests.
  evictionHard: { 'nodefs.available': '0%', 'imagefs.available': '0%', 'memory.available': '50Mi' },
  imageGCHighThresholdPercent: 100,
  failSwapOn: false,
  localStorageCapacityIsolation: false,
};

const KUBE_PROXY = {
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
  clientConnection: { kubeconfig: `${DIR}/admin.conf` },
  mode: 'iptables',
  conntrack: { maxPerCore: 0, min: 0 },
};

const AUDIT = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    {
      level: 'Request',
      resources: [
        { group: '', resources: ['pods/exec', 'pods/attach', 'pods/ephemeralcontainers'] },
      ],
    },
    { level: 'None' },
  ],
};

/** Writes JSON, which is valid YAML. */
function write(file: string, settings: object): void {
  writeFileSync(`${DIR}/${file}`, JSON.stringify(settings, undefined, 2));
}
