import type { IncomingMessage } from 'node:http';
import { ProjectedLines } from './projected-lines.ts';
import type { NamedFields } from './projection.ts';
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
}

/** The fields of objects that are kept; nothing else is in memory at any time. */
export interface ObjectFields extends NamedFields {
  readonly metadata: NamedFields;
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

/** Gets an object; a refusal is an answer as well. */
export async function getObject(request: KubeRequest): Promise<Answer> {
  return answerOf(await send(request));
}

/**
 * Yields the events of a watch until the server ends it or is silent; throws a refusal. Of each
 * object these fields are kept, and those of a Status.
 */
export async function* watchObjects(
  request: KubeRequest,
  fields: ObjectFields,
): AsyncGenerator<WatchEvent> {
  const response = await send(request);
  if (response.statusCode !== 200) throw await refusalOf(response);
  yield 'open';
  const events: WatchEvent[] = [];
  const lines = new ProjectedLines({
    fields: { type: true, object: withVersion({ ...STATUS, ...fields }) },
    onDocument(document) {
      const { type, object } = (document ?? {}) as { type?: string; object?: KubeObject };
      if (type !== undefined && object) events.push({ type, object });
    },
  });
  for await (const chunk of response.setEncoding('latin1')) {
    lines.write(chunk);
    yield* events.splice(0);
  }
}

const STATUS = { code: true, message: true, metadata: {} } as const;

function withVersion(fields: ObjectFields): ObjectFields {
  return { ...fields, metadata: { ...fields.metadata, resourceVersion: true } };
}

/** Makes an error of an answer that is a refusal. */
export async function refusalOf(response: IncomingMessage): Promise<RequestError> {
  const { status, object } = await answerOf(response);
  return RequestError.refusal(status, object);
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
