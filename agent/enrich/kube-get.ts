import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https, { type RequestOptions } from 'node:https';
import { loadKubeConfig, RequestError } from './kube-config.ts';

/** A Kubernetes object, or the Status that says why there is none. */
export interface KubeObject {
  readonly kind?: string;
  /** a Status’s */
  readonly reason?: string;
  readonly message?: string;
  readonly metadata?: {
    readonly resourceVersion?: string;
    readonly uid?: string;
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly {
      readonly kind: string;
      readonly name: string;
      readonly uid: string;
      readonly controller?: boolean;
    }[];
  };
  /** a list’s */
  readonly items?: readonly KubeObject[];
}

export interface Answer {
  readonly status: number;
  readonly object: KubeObject;
}

/** Gets an object of the API server; whatever status it answers with is an answer. */
export async function getObject(
  kubeconfig: string,
  path: string,
  stop: AbortSignal,
): Promise<Answer> {
  const response = await open(kubeconfig, path, stop);
  const status = response.statusCode ?? 0;
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return { status, object: parsed(text) ?? { message: text.slice(0, TEXT_MAX) } };
}

/** The events of a watch, until the server ends it or is silent for so long; a refusal is thrown. */
export async function* watchObjects(
  kubeconfig: string,
  path: string,
  silenceMs: number,
  stop: AbortSignal,
): AsyncGenerator<{ readonly type: string; readonly object: KubeObject } | 'open'> {
  const response = await open(kubeconfig, path, stop);
  response.setTimeout(silenceMs, () => response.destroy(new Error('the API server is silent')));
  response.setEncoding('utf8');
  if (response.statusCode !== 200) {
    let body = '';
    for await (const chunk of response) body += chunk;
    throw RequestError.of({ code: response.statusCode, body });
  }
  yield 'open';
  let rest = '';
  for await (const chunk of response) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = parsed(line) as { type?: string; object?: KubeObject } | undefined;
      if (event?.type !== undefined && event.object)
        yield { type: event.type, object: event.object };
    }
  }
}

const TEXT_MAX = 300;

async function open(kubeconfig: string, path: string, stop: AbortSignal): Promise<IncomingMessage> {
  const config = await loadKubeConfig(kubeconfig);
  const access: RequestOptions = {};
  await config.applyToHTTPSOptions(access);
  const url = `${config.getCurrentCluster()?.server.replace(/\/$/, '')}${path}`;
  const { request } = url.startsWith('http:') ? http : https;
  const sent = request(url, { ...access, signal: stop });
  const [response] = await once(sent.end(), 'response');
  // What breaks from here on, the response tells.
  sent.on('error', () => {});
  return response;
}

function parsed(text: string): KubeObject | undefined {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
