/** The folder of the cluster. A machine has one cluster at a time, so all names are fixed. */
export const DIR = '/tmp/vcml-e2e';
export const NETWORK_NAMESPACE = 'vcml-e2e-node';
/** The cgroup that contains all processes of the cluster. */
export const CGROUP = 'vcml-e2e';
/** The cgroup of the components. */
export const COMPONENT_CGROUP = `${CGROUP}/components`;
export const NODE_NAME = 'node-1';
/** The addresses of the cluster, from ranges for documentation and tests that lead nowhere. */
export const NODE_ADDRESS = '203.0.113.1';
export const GATEWAY_ADDRESS = '203.0.113.254';
export const SERVICE_RANGE = '198.18.0.0/24';
export const SERVICE_ADDRESS = '198.18.0.1';
export const POD_RANGE = '198.18.64.0/24';
/** The address of this machine where the cluster's network is linked to it, and that of the other end. */
export const OUTSIDE_ADDRESS = '198.51.100.1';
export const INSIDE_ADDRESS = '198.51.100.2';
export const OUTSIDE_LINK = 'vcml-e2e';
export const CLUSTER_DOMAIN = 'cluster.local';
export const API_SERVER = `https://${NODE_ADDRESS}:6443`;
export const BPFFS = '/sys/fs/bpf';
/** The hook of the agent that the chart installs. */
export const PINS = `${BPFFS}/vcml-agent`;

/** The container runtime of the node. */
export const RUNTIME = runtimeFrom(process.env.E2E_RUNTIME);
/** The folder of the runtime's state at run time, with its files about containers. */
export const RUNTIME_STATE = `${DIR}/${RUNTIME}/state`;
/** The folder of all that the runtime keeps. */
export const RUNTIME_ROOT = `${DIR}/${RUNTIME}/root`;
export const RUNTIME_SOCKET = `${DIR}/runtime.sock`;
export const STATIC_PODS = `${DIR}/manifests`;

function runtimeFrom(name = 'containerd'): 'containerd' | 'cri-o' {
  if (name !== 'containerd' && name !== 'cri-o')
    throw new Error(`E2E_RUNTIME=${name}: it is containerd or cri-o`);
  return name;
}
