import { KubeConfig } from '@kubernetes/client-node';

/**
 * The only part of client-node that the agent uses: it finds the API server and the credentials,
 * with every way of authentication that a kubeconfig can name. List and watch are our own
 * (list-watch.ts, reflector.ts), because memory is scarce on every node: measured beside KubeConfig
 * alone, client-node's Watch takes 5.3 MiB more, its ListWatch 16.3 MiB and its typed API 18.6 MiB.
 *
 * This module is imported on demand and imports nothing else, so that the bundle leaves out the
 * rest of the library, which takes 40 MiB as a whole.
 */
export function createKubeConfig(): KubeConfig {
  return new KubeConfig();
}
