import { join } from 'node:path';
import { ROOT } from '../support/paths.ts';
import { writeKubeConfig } from './certificates.ts';
import type { Cluster, Manifest } from './cluster.ts';
import { RUNTIME_STATE } from './place.ts';

const RIGHTS = join(ROOT, 'deploy/rbac.yaml');

/** Returns the flags of an agent that watches the API server with only the rights of `deploy/`. */
export async function metadataFlags(cluster: Cluster): Promise<string[]> {
  await cluster.kubectl('create', 'namespace', 'vcml-agent');
  await cluster.kubectl('apply', `--filename=${RIGHTS}`);
  const request = ['create', 'token', 'vcml-agent', '--namespace=vcml-agent', '--duration=2h'];
  const token = (await cluster.kubectl(...request)).trim();
  const kubeconfig = writeKubeConfig('agent', { token });
  return [
    '--metadata',
    'apiserver',
    '--kubeconfig',
    kubeconfig,
    '--runtime-dirs',
    RUNTIME_STATE,
    // This is long enough for a busy machine.
    '--metadata-wait',
    '10s',
  ];
}

/** Returns an account that may exec into the pods of a namespace. */
export function execAccount(name: string, namespace: string): Manifest[] {
  const metadata = { name, namespace };
  const group = 'rbac.authorization.k8s.io';
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: `${group}/v1`,
      kind: 'Role',
      metadata,
      rules: [
        { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] },
        { apiGroups: [''], resources: ['pods/exec'], verbs: ['create', 'get'] },
      ],
    },
    {
      apiVersion: `${group}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: group, kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', ...metadata }],
    },
  ];
}
