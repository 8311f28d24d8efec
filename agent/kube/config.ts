import { existsSync } from 'node:fs';
import type { KubeConfig } from '@kubernetes/client-node';

/** How to reach the API server; fails with an error that says what is missing. */
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

/** An error that says in one line what went wrong, with the HTTP status if there was one. */
export class RequestError extends Error {
  readonly statusCode: number | undefined;

  constructor(message: string, statusCode?: number, options?: ErrorOptions) {
    super(statusCode === undefined ? message : `HTTP ${statusCode}: ${message}`, options);
    this.statusCode = statusCode;
  }

  /** Of whatever a client throws. */
  static of(error: unknown): RequestError {
    if (error instanceof RequestError) return error;
    const { code, statusCode, body, cause, message } = (error ?? {}) as Partial<Failure>;
    const status = typeof code === 'number' ? code : statusCode;
    const why = messageIn(body) ?? cause?.message ?? message ?? String(error);
    return new RequestError(why, status, { cause: error });
  }
}

const BODY_MAX = 300;

interface Failure {
  readonly code: unknown;
  readonly statusCode: number;
  readonly body: unknown;
  readonly cause: Error;
  readonly message: string;
}

/** A Kubernetes Status has a message of its own; the kubelet says what it says as text. */
function messageIn(body: unknown): string | undefined {
  try {
    const status = typeof body === 'string' ? JSON.parse(body) : body;
    return typeof status?.message === 'string' ? status.message : undefined;
  } catch {
    return String(body).trim().slice(0, BODY_MAX).replaceAll(/\s+/g, ' ');
  }
}
