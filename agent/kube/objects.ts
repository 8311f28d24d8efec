import type { IncomingMessage } from 'node:http';
import { type KubeRequest, send, textOf } from './request.ts';
import { RequestError } from './request-error.ts';

/** A Kubernetes object, or the Status that says why there is none. */
export interface KubeObject {
  readonly kind?: string;
  /** of a Status */
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
  /** of a list */
  readonly items?: readonly KubeObject[];
}

/** A response of the server, whatever its status is. */
export interface Answer {
  readonly status: number;
  readonly object: KubeObject;
}

/** An event of a watch; `open` comes first, as soon as the server has accepted the watch. */
export type WatchEvent = 'open' | { readonly type: string; readonly object: KubeObject };

/** The number of characters that are shown of a response that is not an object. */
const MESSAGE_MAX = 300;
/** The largest event, in characters; etcd accepts objects of 1.5 MiB. */
const EVENT_MAX = 16 << 20;

/** Gets an object or a list; a refusal is an answer as well. */
export async function getObject(request: KubeRequest): Promise<Answer> {
  return answerOf(await send(request));
}

/** Yields the events of a watch until the server ends it or is silent; throws a refusal. */
export async function* watchObjects(request: KubeRequest): AsyncGenerator<WatchEvent> {
  const response = await send(request);
  if (response.statusCode !== 200) {
    const { status, object } = await answerOf(response);
    throw RequestError.refusal(status, object);
  }
  yield 'open';
  let rest = '';
  for await (const chunk of response.setEncoding('utf8')) {
    rest += chunk;
    if (rest.length > EVENT_MAX) throw new Error('the API server sent an event that is too long');
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

async function answerOf(response: IncomingMessage): Promise<Answer> {
  const text = await textOf(response);
  const message = text.trim().slice(0, MESSAGE_MAX).replaceAll(/\s+/g, ' ');
  return { status: response.statusCode ?? 0, object: parsed(text) ?? { message } };
}

function parsed(text: string): KubeObject | undefined {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
