import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kubeconfigOf } from './kubeconfig.ts';

/** A request to the API server, parsed. */
export interface ApiRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly watch: boolean;
}

export type Answer = (request: ApiRequest, response: ServerResponse) => void;

/**
 * An HTTP server that speaks the API server's protocol for pods, with the responses that each test
 * sets, and a kubeconfig for it.
 */
export class ApiServer {
  readonly requests: ApiRequest[] = [];
  readonly kubeconfig: string;
  /** The watches that are open. */
  readonly watches = new Set<ServerResponse>();
  answer: Answer;
  readonly #directory = mkdtempSync(join(tmpdir(), 'vcml-api-'));
  #server = createServer();
  #port = 0;

  constructor(answer: Answer) {
    this.answer = answer;
    this.kubeconfig = join(this.#directory, 'kubeconfig');
  }

  async start(): Promise<void> {
    this.#server = createServer((request, response) => this.#handle(request, response));
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
    const server = `http://127.0.0.1:${this.#port}`;
    const cluster = { server, 'insecure-skip-tls-verify': true };
    writeFileSync(this.kubeconfig, kubeconfigOf(cluster, { token: 'test' }));
  }

  /** Refuses connections from now on, and breaks the existing ones. */
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.stop();
    rmSync(this.#directory, { recursive: true });
  }

  /** Sends an event to every open watch. */
  send(type: string, object: unknown): void {
    for (const watch of this.watches) watch.write(`${JSON.stringify({ type, object })}\n`);
  }

  count(kind: 'list' | 'watch'): number {
    const pods = this.requests.filter(({ path }) => path === '/api/v1/pods');
    return pods.filter(({ watch }) => watch === (kind === 'watch')).length;
  }

  #handle({ url = '' }: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(url, 'http://localhost');
    const watch = searchParams.get('watch') === 'true';
    const request = { path: pathname, query: searchParams, watch };
    this.requests.push(request);
    if (watch) {
      this.watches.add(response);
      response.on('close', () => this.watches.delete(response));
    }
    this.answer(request, response);
  }
}

/** Answers lists with these pods at a version, and keeps watches open. */
export function answering(pods: readonly object[], resourceVersion = '10'): Answer {
  return ({ path, watch }, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    if (path.startsWith('/api/v1/nodes/')) response.end('{"kind":"Node","metadata":{}}');
    else if (watch) response.flushHeaders();
    else
      response.end(JSON.stringify({ kind: 'PodList', metadata: { resourceVersion }, items: pods }));
  };
}

/** A pod as the API server has it. */
export function apiPod(
  uid: string,
  name: string,
  resourceVersion = '1',
  more: object = {},
): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { uid, name, namespace: 'shop', resourceVersion },
    spec: { nodeName: 'node-1', containers: [{ name: 'cart', image: 'shop/cart:2' }] },
    status: {},
    ...more,
  };
}
