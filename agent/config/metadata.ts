import { isAbsolute } from 'node:path';
import { choice, duration, httpsOrSocket, list, optionalFile, optionalName } from './kinds.ts';

/** The options for what records say about containers and pods. */
export const metadataOptions = {
  metadata: choice(['none', 'apiserver', 'kubelet'])
    .prefault('none')
    .describe(
      'Source of the labels and owners of pods; names of pods are in the container runtime’s files as well.',
    ),
  metadataWait: duration('1ms', '10s', { orZero: true })
    .prefault('1s')
    .describe('Maximum time that the first record of a container waits for its metadata.'),
  kubeconfig: optionalFile()
    .prefault('')
    .meta({ default: 'the pod’s service account' })
    .describe('Kubeconfig file with the address of the API server and the credentials for it.'),
  kubeletEndpoint: httpsOrSocket()
    .prefault('https://127.0.0.1:10250')
    .describe('Address of the kubelet: its HTTPS endpoint, or the socket of its pods API.'),
  kubeletCertificate: choice(['verify', 'trust'])
    .prefault('verify')
    .describe(
      'Verify that the cluster’s authority signed the kubelet’s certificate, or trust any certificate.',
    ),
  clusterName: optionalName()
    .prefault('')
    .meta({ default: 'none' })
    .describe('Name of the cluster in records.'),
  podLabels: keys().describe('Labels of pods to record.'),
  podAnnotations: keys().describe('Annotations of pods to record.'),
  runtimeDirs: list('paths of folders', (path) =>
    isAbsolute(path) ? undefined : `${path} is not an absolute path`,
  )
    .prefault('')
    .meta({ default: 'none' })
    .describe('State folders of container runtimes, in addition to the usual ones.'),
};

/** Accepts keys, in which `*` stands for any text. */
function keys() {
  return list('keys, or globs such as `app.kubernetes.io/*`', (key) =>
    /^[\w./*-]+$/.test(key) ? undefined : `${key} is neither a key nor a glob`,
  )
    .prefault('')
    .meta({ default: 'none' });
}
