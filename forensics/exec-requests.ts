import { existsSync } from 'node:fs';
import { isObject, type JsonObject, parseExact } from '../record/exact-json.ts';
import { KEYS } from '../record/fields.ts';
import type { StoredRecord } from '../record/read.ts';
import { commandLine, visible } from '../record/visible.ts';
import { ForensicsError } from './errors.ts';
import { readLines } from './inputs/lines.ts';

/** A request may arrive this long before its exec, and the clocks may differ by this much. */
const BEFORE_NS = 60_000_000_000n;
const AFTER_NS = 2_000_000_000n;

/** A request to run a command in a pod, as it stands in the API server's audit log. */
export interface ExecRequest {
  readonly user: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string | undefined;
  readonly command: readonly string[];
  /** the time of its arrival in Unix nanoseconds */
  readonly received: bigint;
  readonly from: string;
}

/** The contents of an audit log. */
export interface AuditLog {
  readonly requests: readonly ExecRequest[];
  /** the number of lines that cannot be read */
  readonly unreadable: number;
}

/**
 * Reads the `pods/exec` requests in an audit log (JSON lines), each once. Without a path there are
 * none.
 */
export async function auditLogOf(path: string | undefined): Promise<AuditLog> {
  if (path === undefined) return { requests: [], unreadable: 0 };
  if (!existsSync(path)) throw new ForensicsError('unreadable', `${path}: no such file`);
  const requests = new Map<string, ExecRequest>();
  let unreadable = 0;
  for await (const { text, number } of readLines(path)) {
    let event: unknown;
    try {
      event = parseExact(text);
    } catch {
      unreadable += 1;
      continue;
    }
    const request = isObject(event) ? requestOf(event) : undefined;
    if (request === undefined || !isObject(event)) continue;
    // The log has a request once for each of its stages.
    const key = typeof event.auditID === 'string' ? event.auditID : `${number}`;
    if (!requests.has(key)) requests.set(key, request);
  }
  return { requests: [...requests.values()], unreadable };
}

function requestOf(event: JsonObject): ExecRequest | undefined {
  const { objectRef, user, responseStatus, requestReceivedTimestamp: at, requestURI } = event;
  if (!isObject(objectRef) || objectRef.resource !== 'pods' || objectRef.subresource !== 'exec')
    return undefined;
  // A request that was refused ran nothing; 101 switches protocols.
  if (isObject(responseStatus) && Number(responseStatus.code ?? 0) >= 400) return undefined;
  const received = typeof at === 'string' ? nanoseconds(at) : undefined;
  if (received === undefined) return undefined;
  const asked = new URLSearchParams(String(requestURI ?? '').split('?')[1] ?? '');
  const sources = Array.isArray(event.sourceIPs) ? event.sourceIPs.map(String) : [];
  return {
    user: isObject(user) ? String(user.username ?? '?') : '?',
    namespace: String(objectRef.namespace ?? ''),
    pod: String(objectRef.name ?? ''),
    container: asked.get('container') ?? undefined,
    command: asked.getAll('command'),
    received,
    from: sources.join(', '),
  };
}

function nanoseconds(time: string): bigint | undefined {
  const [, seconds, fraction = ''] = /^(.+?)(?:\.(\d{1,9}))?Z$/.exec(time) ?? [];
  const ms = Date.parse(`${seconds}Z`);
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

/**
 * Finds who may have caused a record that entered a container. It returns a sentence with the
 * evidence for each request to the record's pod around that time, the best first. These are
 * candidates and not proof.
 */
export function candidatesOf(record: StoredRecord, requests: readonly ExecRequest[]): string[] {
  if (record.attributes[KEYS.entry] !== 'exec' || record.timestamp === undefined) return [];
  const { resource, attributes, timestamp } = record;
  const args = attributes[KEYS.args];
  const ran = JSON.stringify(Array.isArray(args) ? args : []);
  return requests
    .filter(
      ({ namespace, pod, received }) =>
        pod === resource[KEYS.podName] &&
        namespace === resource[KEYS.namespace] &&
        received <= timestamp + AFTER_NS &&
        received >= timestamp - BEFORE_NS,
    )
    .map((request) => {
      const sameContainer = request.container === resource[KEYS.podContainerName];
      const sameCommand = JSON.stringify(request.command) === ran;
      const apart = timestamp - request.received;
      return { request, sameContainer, sameCommand, apart };
    })
    .filter(({ request, sameContainer }) => request.container === undefined || sameContainer)
    .sort((a, b) => Number(b.sameCommand) - Number(a.sameCommand) || Number(a.apart - b.apart))
    .map(({ request, sameContainer, sameCommand, apart }) => {
      const speaks = [
        'same pod',
        ...(sameContainer ? ['same container'] : []),
        sameCommand ? 'same command' : `other command: ${commandLine(request.command)}`,
        `received ${Number(apart / 1_000_000n)} ms before`,
      ];
      const from = request.from === '' ? '' : ` from ${request.from}`;
      return visible(`candidate: pods/exec by ${request.user}${from} (${speaks.join(', ')})`);
    });
}
