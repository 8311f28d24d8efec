import { type Draft, exec, execId, start, text } from '../../../check/craft.ts';

/** A container of a pod, as records name it. */
export const PLACE = {
  'host.name': 'node',
  'os.type': 'linux',
  'k8s.namespace.name': 'shop',
  'k8s.pod.name': 'cart-0',
  'k8s.pod.uid': 'u1',
  'k8s.container.name': 'app',
  'container.id': 'c1',
};
export const VARIABLE = 'KUBERNETES_EXEC_AUDIT_ID';

/** An exec into the container, which says what permitted it. */
export function entry(
  at: number,
  authority: Record<string, unknown>,
  place: object = PLACE,
): Draft {
  const attributes = { 'vcml.entry': 'exec', 'vcml.metadata.state': 'complete', ...authority };
  const record = exec(at, 100 + at, 0, at, attributes);
  return { ...record, resource: { ...place } };
}

/** The attributes of an entry whose environment has the id of a request. */
export function carries(id: unknown, variable = VARIABLE): Record<string, unknown> {
  return {
    'vcml.authority.type': 'exec_request',
    'vcml.authority.id': id,
    'vcml.authority.source': variable,
  };
}

/** An exec that the one at another time caused. */
export function effect(at: number, cause: number, place: object = PLACE): Draft {
  const record = exec(at, 100 + at, 0, at, { parent: execId(cause, 100 + cause) });
  return { ...record, resource: { ...place } };
}

/** The lines of a journal with these records. */
export function journalOf(...records: readonly Draft[]): string[] {
  return [text(start([1])), ...records.map(text)];
}

/** A request for an exec in the container, unless it says otherwise. */
export interface Request {
  readonly id: unknown;
  readonly user?: string;
  readonly as?: string;
  readonly seconds?: number;
  readonly pod?: string;
  readonly namespace?: string;
  readonly container?: string;
  readonly command?: readonly string[];
  readonly stage?: string;
  readonly code?: number;
  /** the query as it stands, behind a second question mark */
  readonly query?: string;
  /** It is sent to the kubelet of this node, through the API server. */
  readonly node?: string;
  readonly annotations?: Readonly<Record<string, unknown>>;
}

/** Returns the event of a request at one of its stages. */
export function event(request: Request): string {
  const { id, user = 'alice', seconds = -1, pod = 'cart-0', namespace = 'shop' } = request;
  const { container = 'app', stage = 'ResponseComplete', code = 101, annotations, as } = request;
  const { command = ['x'] } = request;
  const words = command.map((word) => ['command', word]);
  const parameters = new URLSearchParams([...words, ['container', container]]);
  const path =
    request.node === undefined
      ? `/api/v1/namespaces/${namespace}/pods/${pod}/exec`
      : `/api/v1/nodes/${request.node}/proxy/exec/${namespace}/${pod}/${container}`;
  const object =
    request.node === undefined
      ? { resource: 'pods', namespace, name: pod, subresource: 'exec' }
      : { resource: 'nodes', name: request.node, subresource: 'proxy' };
  return JSON.stringify({
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    auditID: id,
    stage,
    requestURI: `${path}?${request.query === undefined ? parameters : `?command=x&${request.query}`}`,
    verb: 'create',
    user: { username: user },
    ...(as === undefined ? {} : { impersonatedUser: { username: as } }),
    sourceIPs: ['192.0.2.7'],
    objectRef: object,
    ...(stage === 'RequestReceived' ? {} : { responseStatus: { code } }),
    requestReceivedTimestamp: timeAt(seconds),
    ...(annotations === undefined ? {} : { annotations }),
  });
}

/** Returns the time so many seconds after the records. */
function timeAt(seconds: number): string {
  const unix = Number((exec(0, 1, 0, 1).timestamp as bigint) / 1_000_000n) + seconds * 1000;
  return new Date(unix).toISOString().replace('Z', '000Z');
}
