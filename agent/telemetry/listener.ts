import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import type { Log } from '../log-events.ts';
import type { Address } from './address.ts';
import { limitConnections } from './connection-limit.ts';

/** Another agent that is stopping may still use the port. */
const LISTEN_AGAIN_MS = 5000;
/** A request is one small packet; a client that needs longer, or does not read its answer, is disconnected. */
const REQUEST_MS = 1000;
const CHECK_EVERY_MS = 250;
const SILENCE_MS = 2000;

/** Where the listener listens, and what it calls. */
export interface ListenerOptions {
  readonly address: Address;
  /** the answers, by path */
  readonly paths: Readonly<Record<string, (response: ServerResponse) => Promise<void> | void>>;
  readonly log: Log;
}

/**
 * Serves a few small answers over HTTP at one address. It listens again when the address is taken;
 * a failure is logged, and does not end the agent.
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #paths: ReadonlyMap<string, ListenerOptions['paths'][string]>;
  readonly #server: Server;
  #timer: NodeJS.Timeout | undefined;
  #reported = '';

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#paths = new Map(Object.entries(options.paths));
    this.#server = createServer(
      {
        headersTimeout: REQUEST_MS,
        requestTimeout: REQUEST_MS,
        connectionsCheckingInterval: CHECK_EVERY_MS,
      },
      (request, response) => {
        this.#answer(request, response).catch((error) => this.#fail(response, error));
      },
    );
    this.#server.setTimeout(SILENCE_MS);
    limitConnections(this.#server);
    this.#server.on('error', this.#onError).on('listening', this.#onListening);
    this.#listen();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#server.close();
    this.#server.closeAllConnections();
  }

  readonly #listen = (): void => {
    const { host, port } = this.#options.address;
    this.#server.listen({ host, port });
  };

  readonly #onListening = (): void => {
    const { address, port } = this.#server.address() as AddressInfo;
    const host = isIPv6(address) ? `[${address}]` : address;
    const paths = [...this.#paths.keys()];
    this.#options.log('telemetry.listening', { address: `${host}:${port}`, paths });
    this.#reported = '';
  };

  readonly #onError = ({ message }: Error): void => {
    if (message !== this.#reported)
      this.#options.log('telemetry.listen_failed', { error: message });
    this.#reported = message;
    if (this.#server.listening) return;
    this.#timer = setTimeout(this.#listen, LISTEN_AGAIN_MS).unref();
  };

  async #answer({ method, url = '' }: IncomingMessage, response: ServerResponse): Promise<void> {
    const answerOf = this.#paths.get(url.replace(/\?.*/s, ''));
    if (answerOf === undefined) {
      reply(response, 404, 'text/plain', `there are ${[...this.#paths.keys()].join(', ')}\n`);
    } else if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      reply(response, 405, 'text/plain', 'GET or HEAD\n');
    } else {
      await answerOf(response);
    }
  }

  #fail(response: ServerResponse, { message, stack }: Error): void {
    if (message !== this.#reported) this.#options.log('telemetry.request_failed', { error: stack });
    this.#reported = message;
    if (response.headersSent) response.destroy();
    else reply(response, 500, 'text/plain', `${message}\n`);
  }
}

/** Answers a request with a small body that no cache keeps. */
export function reply(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(body);
}
