import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https, { type RequestOptions } from 'node:https';
import { loadKubeConfig, RequestError } from './config.ts';

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
  const text = await textOf(response);
  return { status, object: parsed(text) ?? { message: text.slice(0, TEXT_MAX) } };
}

/** The events of a watch, until the server ends it or is silent for so long; a refusal is thrown. */
export async function* watchObjects(
  kubeconfig: string,
  path: string,
  silenceMs: number,
  stop: AbortSignal,
): AsyncGenerator<{ readonly type: string; readonly object: KubeObject } | 'open'> {
  const response = await open(kubeconfig, path, stop, silenceMs);
  if (response.statusCode !== 200)
    throw RequestError.of({ code: response.statusCode, body: await textOf(response) });
  yield 'open';
  let rest = '';
  for await (const chunk of response.setEncoding('utf8')) {
    rest += chunk;
    if (rest.length > EVENT_MAX) throw new Error('the API server sends an event that is too long');
    if (!chunk.includes('\n')) continue;
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = parsed(line) as { type?: string; object?: KubeObject } | undefined;
      if (event?.type !== undefined && event.object)
        yield { type: event.type, object: event.object };
    }
  }
}

const TEXT_MAX = 300;
/** Characters of an event; etcd takes objects of 1.5 MiB. */
const EVENT_MAX = 16 << 20;
/** Characters of a list of 500 pods with everything that may be in them. */
const ANSWER_MAX = 64 << 20;

/** `silenceMs`: how long the server may say nothing, also before it answers at all. */
async function open(
  kubeconfig: string,
  path: string,
  stop: AbortSignal,
  silenceMs?: number,
): Promise<IncomingMessage> {
  const config = await loadKubeConfig(kubeconfig);
  const access: RequestOptions = {};
  await config.applyToHTTPSOptions(access);
  const url = `${config.getCurrentCluster()?.server.replace(/\/$/, '')}${path}`;
  const { request } = url.startsWith('http:') ? http : https;
  const sent = request(url, { ...access, signal: stop });
  if (silenceMs !== undefined)
    sent.setTimeout(silenceMs, () => sent.destroy(new Error('the API server is silent')));
  const [response] = await once(sent.end(), 'response');
  // What breaks from here on, the response tells.
  sent.on('error', () => {});
  return response;
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk;
    if (text.length > ANSWER_MAX) throw new Error('the API server’s answer is too long');
  }
  return text;
}

function parsed(text: string): KubeObject | undefined {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
