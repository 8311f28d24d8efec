import { KubeConfig } from '@kubernetes/client-node';

/**
 * In a module of its own, which is loaded when it is called for, and with which the bundle gets no
 * more of the client library than this: whole, it takes 40 MiB.
 */
export function createKubeConfig(): KubeConfig {
  return new KubeConfig();
}
