import { execAccount } from './access.ts';
import { writeKubeConfig } from './certificates.ts';
import type { Cluster, Manifest } from './cluster.ts';
import { run } from './network.ts';
import { container, podSpec } from './pods.ts';

const NAMESPACE = 'shop';
/** The number of times that the loop starts its child. */
export const CHILDREN = 200;
const UPLOAD = 'cat >/tmp/busybox; chmod +x /tmp/busybox';
const LOOP =
  `n=0; while [ $n -lt ${CHILDREN} ]; do n=$((n+1)); ` +
  'echo $n | /tmp/busybox sha256sum >/tmp/sum; done';

/**
 * Stages an incident in a pod of a shop and returns the name of the pod. Somebody has the token of an
 * account that deploys, execs into the pod, writes a program into its upper layer, and runs it in a
 * loop.
 */
export async function playIncident(cluster: Cluster): Promise<string> {
  await cluster.kubectl('create', 'namespace', NAMESPACE);
  await cluster.apply(...execAccount('deployer', NAMESPACE), cart());
  await cluster.kubectl('rollout', 'status', 'deployment/cart', `--namespace=${NAMESPACE}`);
  const name = await cluster.kubectl(
    'get',
    'pods',
    `--namespace=${NAMESPACE}`,
    '--selector=app=cart',
    '--output=jsonpath={.items[0].metadata.name}',
  );
  const token = await cluster.kubectl('create', 'token', 'deployer', `--namespace=${NAMESPACE}`);
  const kubeconfig = writeKubeConfig('deployer', { token: token.trim() });
  const exec = `kubectl --kubeconfig=${kubeconfig} --namespace=${NAMESPACE} exec`;
  await run(['sh', '-c', `${exec} -i ${name} -- sh -c '${UPLOAD}' </bin/busybox`]);
  await run(['sh', '-c', `${exec} ${name} -- /tmp/busybox sh -c '${LOOP}'`]);
  return name;
}

/** Creates a workload that executes something now and then. */
function cart(): Manifest {
  const labels = { app: 'cart' };
  const work = ['sh', '-c', 'while true; do date >/tmp/alive; sleep 5; done'];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'cart', namespace: NAMESPACE },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: podSpec([container('app', work)], { restartPolicy: 'Always' }),
      },
    },
  };
}
