import { equal } from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { OwnDaemonSet } from '../../agent/kube/own-daemon-set.ts';
import { createAuthority } from '../support/authority.ts';
import { kubeconfigOf } from '../support/kubeconfig.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const POD = '/api/v1/namespaces/watchers/pods/agent-x2x';
/** Where it is asked for. */
export const DAEMON_SET = '/apis/apps/v1/namespaces/watchers/daemonsets/agent';
const DAEMON_SETS =
  '/apis/apps/v1/namespaces/watchers/daemonsets?fieldSelector=metadata.name%3Dagent';
const WATCH = '&watch=true&allowWatchBookmarks=true&resourceVersion=10&';
/** How its pod names it. */
export const OWNER = { kind: 'DaemonSet', name: 'agent', uid: 'uid-1', controller: true };

/** The response of the API server, if there is one. */
export type Said = readonly [status: number, body: object | string] | 'nothing' | 'hang up';

/** An HTTPS server with its responses about the DaemonSet, and the pod that it knows. */
export interface Server {
  readonly kubeconfig: string;
  daemonSet: Said;
  namespace: Said;
  pod: Said;
  readonly asked: string[];
  /** The watches that are open. */
  readonly watches: Set<ServerResponse>;
  readonly problems: string[];
  readonly known: string[];
  /** Sends an event of the DaemonSet to them. */
  send(type: string, metadata: object): void;
  follow(): OwnDaemonSet;
}

/** The agent’s pod. */
export function pod(...ownerReferences: readonly object[]): Said {
  return [200, { kind: 'Pod', metadata: { name: 'agent-x2x', ownerReferences } }];
}

/** Its DaemonSet, there. */
export function daemonSet(metadata: object = {}): Said {
  return [200, { kind: 'DaemonSet', metadata: { name: 'agent', uid: 'uid-1', ...metadata } }];
}

/** A refusal, as the API server words it. */
export function refusal(status: number, reason: string): Said {
  return [status, { kind: 'Status', code: status, reason, message: `it is ${reason}` }];
}

const directory = temporaryFolder();
const authority = createAuthority(directory, 'cluster');
const { certificate, key } = authority.issue('kube-apiserver');
let servers = 0;

/** Gives a test the server, with a certificate and a token. */
export async function withServer(body: (server: Server) => Promise<void>): Promise<void> {
  const https = createServer({ key: readFileSync(key), cert: readFileSync(certificate) });
  https.listen(0, '127.0.0.1');
  await once(https, 'listening');
  const url = `https://127.0.0.1:${(https.address() as AddressInfo).port}`;
  const cluster = { server: url, 'certificate-authority': authority.certificate };
  const kubeconfig = join(directory, `kubeconfig-${servers++}`);
  writeFileSync(kubeconfig, kubeconfigOf(cluster, { token: 'secret-token' }));
  const opened: OwnDaemonSet[] = [];
  const server: Server = {
    kubeconfig,
    namespace: [200, { kind: 'Namespace', metadata: { name: 'watchers' } }],
    daemonSet: daemonSet(),
    pod: pod(OWNER),
    asked: [],
    watches: new Set(),
    problems: [],
    known: [],
    send(type, metadata) {
      const object = { kind: 'DaemonSet', metadata: { resourceVersion: '11', ...metadata } };
      for (const watch of server.watches) watch.write(`${JSON.stringify({ type, object })}\n`);
    },
    follow() {
      const onProblem = (problem: Error) => server.problems.push(problem.message);
      const where = { namespace: 'watchers', pod: 'agent-x2x', kubeconfig };
      const onKnown = (name: string) => server.known.push(name);
      const one = new OwnDaemonSet({ ...where, onKnown, onProblem });
      opened.push(one);
      return one;
    },
  };
  https.on('request', ({ url = '', headers }, response) => {
    equal(headers.authorization, 'Bearer secret-token');
    server.asked.push(url);
    if (url === DAEMON_SET) say(server.daemonSet, response);
    else if (url === '/api/v1/namespaces/watchers') say(server.namespace, response);
    else if (url === POD) say(server.pod, response);
    else if (url === DAEMON_SETS) {
      const [status, body] = server.daemonSet;
      const items = status === 200 ? [body] : [];
      const isRefused = status === 401 || status === 403;
      say(
        isRefused
          ? server.daemonSet
          : [200, { kind: 'DaemonSetList', metadata: { resourceVersion: '10' }, items }],
        response,
      );
    } else if (url.startsWith(DAEMON_SETS + WATCH)) {
      response.writeHead(200).flushHeaders();
      server.watches.add(response);
    } else say([500, `not foreseen: ${url}`], response);
  });
  try {
    await body(server);
  } finally {
    for (const one of opened) one.close();
    https.closeAllConnections();
    https.close();
  }
}

function say(said: Said, response: ServerResponse): void {
  if (said === 'hang up') response.destroy();
  if (typeof said === 'string') return;
  const [status, body] = said;
  response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
}
