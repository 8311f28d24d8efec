import type { IncomingMessage } from 'node:http';
import { chosen, elements, type Members, members, stream, TEXT } from './json-shape.ts';
import { JsonSieve, type Sieved } from './json-sieve.ts';
import type { Pace } from './pace.ts';
import { type KubeRequest, piecesOf, send } from './request.ts';
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
}

/** The part of an object that is read where nothing else is asked for. */
export const OBJECT: Members = members({
  metadata: members({
    resourceVersion: TEXT,
    uid: TEXT,
    deletionTimestamp: TEXT,
    ownerReferences: elements(members({ kind: TEXT, name: TEXT, uid: TEXT, controller: TEXT })),
  }),
});
const STATUS = members({ kind: TEXT, code: TEXT, reason: TEXT, message: TEXT });

/** A response of the server, whatever its status is. */
export interface Answer {
  readonly status: number;
  readonly object: KubeObject;
}

/** An event of a watch; `open` comes first, as soon as the server has accepted the watch. */
export type WatchEvent = 'open' | { readonly type: string; readonly object: Sieved };

/** The number of characters that are shown of a response that is not an object. */
const MESSAGE_MAX = 300;
const LINE_END = 0x0a;

/** Gets an object; a refusal is an answer as well. */
export async function getObject(request: KubeRequest): Promise<Answer> {
  return answerOf(await send(request), new JsonSieve(withStatus(OBJECT)), request.pace);
}

/** Gets a list and passes on each item while it is read; returns its version, throws a refusal. */
export async function listObjects(
  request: KubeRequest,
  shape: Members,
  onItem: (item: Sieved) => void,
): Promise<string> {
  const list = members({ metadata: members({ resourceVersion: TEXT }), items: stream(shape) });
  const { status, object } = await answerOf(
    await send(request),
    new JsonSieve(withStatus(list), onItem),
    request.pace,
  );
  if (status !== 200) throw RequestError.refusal(status, object);
  if (!object.kind?.endsWith('List')) throw new Error('the answer is not a whole list');
  return object.metadata?.resourceVersion ?? '0';
}

/** Yields the events of a watch until the server ends it or is silent; throws a refusal. */
export async function* watchObjects(
  request: KubeRequest,
  shape: Members,
): AsyncGenerator<WatchEvent> {
  const response = await send(request);
  if (response.statusCode !== 200) {
    const { status, object } = await answerOf(response, new JsonSieve(STATUS));
    throw RequestError.refusal(status, object);
  }
  yield 'open';
  const sieve = new JsonSieve(members({ type: TEXT, object: withStatus(shape) }));
  for await (const chunk of piecesOf(response, request.pace)) {
    let from = 0;
    // Each event is a line.
    for (let at = chunk.indexOf(LINE_END); at >= 0; at = chunk.indexOf(LINE_END, from)) {
      sieve.write(chunk.subarray(from, at));
      from = at + 1;
      const { value, isCut = false } = sieve.end() ?? {};
      const { type, object } = (value ?? {}) as { type?: string; object?: KubeObject };
      if (type !== undefined && object) yield { type, object: { value: object, isCut } };
    }
    sieve.write(chunk.subarray(from));
  }
}

/** A shape with what says why there is no object. */
function withStatus(shape: Members): Members {
  return chosen((key) => STATUS.of(key) ?? shape.of(key));
}

async function answerOf(response: IncomingMessage, sieve: JsonSieve, pace?: Pace): Promise<Answer> {
  let begin = '';
  for await (const chunk of piecesOf(response, pace)) {
    if (begin.length < MESSAGE_MAX) begin += chunk.toString('utf8', 0, MESSAGE_MAX);
    sieve.write(chunk);
    if (sieve.isBroken && begin.length >= MESSAGE_MAX) break;
  }
  const message = begin.trim().slice(0, MESSAGE_MAX).replaceAll(/\s+/g, ' ');
  return {
    status: response.statusCode ?? 0,
    object: (sieve.end()?.value as KubeObject | undefined) ?? { message },
  };
}
