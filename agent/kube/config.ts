import { existsSync } from 'node:fs';
import type { KubeConfig } from '@kubernetes/client-node';
import { AgentError } from '../errors.ts';

/**
 * Loads a kubeconfig; an empty path stands for the service account of the agent's own pod. Throws
 * an error of the registry.
 */
export async function loadKubeConfig(file: string): Promise<KubeConfig> {
  const { createKubeConfig } = await import('./client.ts');
  const config = createKubeConfig();
  if (file !== '') config.loadFromFile(file);
  else if (process.env.KUBERNETES_SERVICE_HOST && existsSync(TOKEN)) config.loadFromCluster();
  else throw new AgentError('KUBECONFIG_MISSING', {});
  if (config.getCurrentCluster() === null)
    throw new AgentError('KUBECONFIG_WITHOUT_CLUSTER', { file });
  return config;
}

const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';
