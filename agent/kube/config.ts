import { existsSync } from 'node:fs';
import type { KubeConfig } from '@kubernetes/client-node';

/**
 * Loads a kubeconfig; an empty path stands for the service account of the agent's own pod. Throws
 * an error that says what is missing.
 */
export async function loadKubeConfig(file: string): Promise<KubeConfig> {
  const { createKubeConfig } = await import('./client.ts');
  const config = createKubeConfig();
  if (file !== '') config.loadFromFile(file);
  else if (process.env.KUBERNETES_SERVICE_HOST && existsSync(TOKEN)) config.loadFromCluster();
  else throw new Error('not in a pod with a service account, and no kubeconfig is configured');
  if (config.getCurrentCluster() === null) throw new Error(`${file}: names no current cluster`);
  return config;
}

const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';
