import { isAbsolute } from 'node:path';
import { choice, duration, httpsOrSocket, list, optionalFile, optionalName } from './kinds.ts';

/** The options of what is recorded of containers and pods. */
export const metadataOptions = {
  metadata: choice(['none', 'apiserver', 'kubelet'])
    .prefault('none')
    .describe(
      'Where labels and owners of pods come from; their names are in the runtime’s files as well.',
    ),
  metadataWait: duration('1ms', '10s', { orZero: true })
    .prefault('1s')
    .describe('How long the first record of a container waits at most for what is not known yet.'),
  kubeconfig: optionalFile()
    .prefault('')
    .meta({ default: 'the pod’s service account' })
    .describe('How to reach the API server, and with what rights.'),
  kubeletEndpoint: httpsOrSocket()
    .prefault('https://127.0.0.1:10250')
    .describe(
      'Where the kubelet is asked for its pods: its endpoint, or the socket of its pods API.',
    ),
  kubeletCertificate: choice(['verify', 'trust'])
    .prefault('verify')
    .describe('Whether the kubelet’s certificate must be of the cluster’s authority.'),
  clusterName: optionalName()
    .prefault('')
    .meta({ default: 'none' })
    .describe('The cluster’s name in records.'),
  podLabels: keys().describe('Labels of pods that are recorded.'),
  podAnnotations: keys().describe('Annotations of pods that are recorded.'),
  runtimeDirs: list('paths of folders', (path) =>
    isAbsolute(path) ? undefined : `${path} is not an absolute path`,
  )
    .prefault('')
    .meta({ default: 'none' })
    .describe('State folders of container runtimes, beside the usual ones.'),
};

/** Keys, in which `*` stands for any text. */
function keys() {
  return list('keys, or globs such as `app.kubernetes.io/*`', (key) =>
    /^[\w./*-]+$/.test(key) ? undefined : `${key} is neither a key nor a glob`,
  )
    .prefault('')
    .meta({ default: 'none' });
}
