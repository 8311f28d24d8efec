import { isObject, type JsonObject } from '../../record/exact-json.ts';
import { asRecorded } from './recorded.ts';
import { type Asked, askedIn, proxiedExec, type Target } from './request-uri.ts';

/** A request to run a command in a pod, as the API server's audit log has it at one of its stages. */
export interface ExecRequest {
  /** the same for all stages of a request, and for no other one; undefined: there is one stage */
  readonly id: string | undefined;
  /** the ids by which the exec may name it, as a record has them */
  readonly ids: readonly RequestId[];
  /** who asked, and as whom: `alice`, or `alice as admin` with impersonation */
  readonly user: string;
  /** who asked, whose credentials were checked; undefined: the log does not name anybody */
  readonly username: string | undefined;
  /** as whom; undefined: as themselves */
  readonly impersonated: string | undefined;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string | undefined;
  /** the arguments, or one text that contains them; undefined: the log does not have them */
  readonly command: readonly string[] | string | undefined;
  /** the time of its arrival in Unix nanoseconds */
  readonly received: bigint;
  readonly from: string;
  /** the position of its stage: a later one decides */
  readonly stage: number;
  /** Whether the API server refused it, so that it ran nothing. */
  readonly isRefused: boolean;
  /** Whether the API server answered that the execution begins. */
  readonly hasBegun: boolean;
  /** Whether the log says that it was permitted. */
  readonly isPermitted: boolean;
}

/** An id of a request. */
export interface RequestId {
  readonly id: string;
  /** the variable in which a webhook gave it to the exec; undefined: it is the audit ID */
  readonly variable: string | undefined;
}

/** Reads a request to execute a command in a pod; undefined: the event is about something else. */
export function execRequestOf(event: JsonObject): ExecRequest | undefined {
  return isObject(event.protoPayload) ? ofCloudAudit(event, event.protoPayload) : ofEvent(event);
}

const STAGES = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'];

/** Reads an Event of audit.k8s.io/v1. */
function ofEvent(event: JsonObject): ExecRequest | undefined {
  const { objectRef, user, responseStatus, requestReceivedTimestamp, requestURI } = event;
  const { stage, impersonatedUser, annotations } = event;
  const asked = isObject(objectRef) ? askedBy(objectRef, text(requestURI)) : undefined;
  if (asked === undefined) return undefined;
  const received = nanoseconds(requestReceivedTimestamp);
  if (received === undefined) return undefined;
  const code = isObject(responseStatus) ? Number(responseStatus.code ?? 0) : 0;
  // 101 switches protocols, which begins the execution.
  const hasBegun = stage !== 'RequestReceived' && code > 0 && code < 400;
  const decision = isObject(annotations) ? annotations['authorization.k8s.io/decision'] : undefined;
  return {
    id: idOf(event),
    ids: idsOf(event),
    username: usernameOf(user),
    impersonated: isObject(impersonatedUser) ? nameOf(impersonatedUser) : undefined,
    user: isObject(impersonatedUser)
      ? `${nameOf(user)} as ${nameOf(impersonatedUser)}`
      : nameOf(user),
    namespace: asked.namespace,
    pod: asked.pod,
    container: asked.container,
    command: asked.command,
    received,
    from: Array.isArray(event.sourceIPs) ? event.sourceIPs.map(String).join(', ') : '',
    stage: STAGES.indexOf(text(stage)),
    isRefused: code >= 400 || decision === 'forbid' || stage === 'Panic',
    hasBegun,
    isPermitted: hasBegun || decision === 'allow',
  };
}

/**
 * Reads an entry of Google's Cloud Audit Logs. Its label has the command as one text, and nothing
 * names the container.
 */
function ofCloudAudit(entry: JsonObject, payload: JsonObject): ExecRequest | undefined {
  const { methodName, resourceName, authenticationInfo, requestMetadata, status } = payload;
  const [, namespace, pod] =
    /^core\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/exec$/.exec(text(resourceName)) ?? [];
  const received = nanoseconds(entry.timestamp);
  const isExec = /^io\.k8s\.core\.v1\.pods\.exec\.(create|get)$/.test(text(methodName));
  if (!isExec || namespace === undefined || pod === undefined || received === undefined)
    return undefined;
  const command = isObject(entry.labels) ? entry.labels['command.gke.io/command'] : undefined;
  const principal = isObject(authenticationInfo) ? authenticationInfo.principalEmail : undefined;
  return {
    id: typeof entry.insertId === 'string' ? entry.insertId : undefined,
    // Google gives the entry an id of its own (docs.cloud.google.com/logging, LogEntry).
    ids: [],
    user: text(principal) || '?',
    username: text(principal) || undefined,
    impersonated: undefined,
    namespace,
    pod,
    container: undefined,
    command: typeof command === 'string' ? command : undefined,
    received,
    from: isObject(requestMetadata) ? text(requestMetadata.callerIp) : '',
    stage: STAGES.length,
    isRefused: isObject(status) && Number(status.code ?? 0) !== 0,
    hasBegun: false,
    isPermitted: true,
  };
}

/**
 * Identifies the request of an Event. The client chooses the audit ID (k8s.io/apiserver takes its header
 * Audit-ID), so that it alone would let one request pass for a stage of another one.
 */
function idOf(event: JsonObject): string | undefined {
  const { auditID, requestReceivedTimestamp, user, impersonatedUser, requestURI } = event;
  if (typeof auditID !== 'string') return undefined;
  const users = [nameOf(user), nameOf(impersonatedUser)];
  return JSON.stringify([auditID, text(requestReceivedTimestamp), ...users, text(requestURI)]);
}

/** Returns what a request asks to execute, and where; undefined: it asks for something else. */
function askedBy(object: JsonObject, uri: string): (Target & Asked) | undefined {
  const { resource, subresource, namespace, name } = object;
  if (resource === 'pods' && subresource === 'exec')
    return { namespace: text(namespace), pod: text(name), ...askedIn(uri) };
  return resource === 'nodes' && subresource === 'proxy' ? proxiedExec(uri) : undefined;
}

/**
 * Returns the ids that an exec may carry: the audit ID (KEP-6035), and what a webhook notes in the log under
 * the name of the variable that it sets, such as `execmetadata.spo.io/SPO_EXEC_REQUEST_UID`.
 */
function idsOf({ auditID, annotations }: JsonObject): RequestId[] {
  const noted = Object.entries(isObject(annotations) ? annotations : {}).map(
    ([key, id]) => [variableIn(key), id] as const,
  );
  return [[undefined, auditID] as const, ...noted.filter(([variable]) => variable !== undefined)]
    .filter((one): one is readonly [string | undefined, string] => text(one[1]) !== '')
    .map(([variable, id]) => ({ id: asRecorded(id), variable }));
}

/**
 * Returns the variable that a webhook names in the key of an annotation. Those of Kubernetes itself say
 * something else, which a client may choose.
 */
function variableIn(key: string): string | undefined {
  const [, domain = '', variable] = /^(.*)\/([A-Z_][A-Z0-9_]*)$/.exec(key) ?? [];
  return /(^|\.)(k8s|kubernetes)\.io$/.test(domain) ? undefined : variable;
}

function nameOf(user: unknown): string {
  return usernameOf(user) ?? '?';
}

function usernameOf(user: unknown): string | undefined {
  return (isObject(user) && text(user.username)) || undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function nanoseconds(time: unknown): bigint | undefined {
  const [, seconds, fraction = ''] = /^(.+?)(?:\.(\d{1,9}))?Z$/.exec(text(time)) ?? [];
  const ms = Date.parse(`${seconds}Z`);
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}
