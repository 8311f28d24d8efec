import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import type { Address } from './address.ts';
import { Health, type Report } from './health.ts';
import type { Log } from './log.ts';
import type { Source } from './readings.ts';

/** Another agent that is about to end may still have the port. */
const LISTEN_AGAIN_MS = 5000;
const CONNECTIONS_MAX = 32;
const REQUEST_MS = 10_000;

export interface TelemetryOptions {
  readonly version: string;
  /** Whether pods' metadata is asked for. */
  readonly metadata: boolean;
  readonly address: Address;
  readonly log: Log;
}

/** Serves /metrics, /livez and /readyz. What goes wrong with it is told and ends nothing. */
export class Telemetry {
  readonly health = new Health();
  readonly #options: TelemetryOptions;
  readonly #server: Server;
  #source: Source | undefined;
  #timer: NodeJS.Timeout | undefined;
  #told = '';
  #isMetadataAvailable: boolean | undefined;

  constructor(options: TelemetryOptions) {
    this.#options = options;
    if (options.metadata) this.#isMetadataAvailable = true;
    this.#server = createServer({ requestTimeout: REQUEST_MS }, (request, response) => {
      this.#answer(request, response).catch((error) => this.#fail(response, error));
    });
    this.#server.maxConnections = CONNECTIONS_MAX;
    this.#server.on('error', this.#onError).on('listening', this.#onListening);
    this.#listen();
  }

  /** The agent records: from now on there is something to read. */
  begin(source: Source): void {
    this.#source = source;
    this.health.begin(source);
  }

  /** The metadata of pods cannot be had, or (undefined) can be again. */
  noteMetadata(problem: Error | undefined): void {
    this.#isMetadataAvailable = problem === undefined;
  }

  /** The agent ends: what was read from may be gone. */
  end(): void {
    this.#source = undefined;
    this.health.end();
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
    this.#options.log.info({ address: `${host}:${port}` }, 'telemetry: listening');
    this.#told = '';
  };

  readonly #onError = ({ message }: Error): void => {
    if (message !== this.#told)
      this.#options.log.warn(
        { error: message },
        'telemetry: cannot listen; the recording goes on without it, and this is tried again',
      );
    this.#told = message;
    if (this.#server.listening) return;
    this.#timer = setTimeout(this.#listen, LISTEN_AGAIN_MS).unref();
  };

  async #answer({ method, url = '' }: IncomingMessage, response: ServerResponse): Promise<void> {
    const answerOf = this.#paths[url.replace(/\?.*/s, '')];
    if (answerOf === undefined) {
      reply(response, 404, 'text/plain', `there are ${Object.keys(this.#paths).join(', ')}\n`);
    } else if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      reply(response, 405, 'text/plain', 'GET or HEAD\n');
    } else {
      await answerOf(response);
    }
  }

  readonly #paths: Readonly<Record<string, (response: ServerResponse) => Promise<void> | void>> = {
    __proto__: null as never,
    '/metrics': (response) => this.#metrics(response),
    '/livez': (response) => report(response, this.health.live()),
    '/readyz': (response) => report(response, this.health.ready()),
  };

  async #metrics(response: ServerResponse): Promise<void> {
    // Loaded when somebody asks for the first time.
    const { CONTENT_TYPE, expose } = await import('./exposition.ts');
    const readings = {
      ...(await this.#source?.read()),
      version: this.#options.version,
      isJournalWritable: this.health.isJournalWritable,
      isMetadataAvailable: this.#isMetadataAvailable,
    };
    reply(response, 200, CONTENT_TYPE, await expose(readings));
  }

  #fail(response: ServerResponse, { message, stack }: Error): void {
    if (message !== this.#told) this.#options.log.error({ error: stack }, 'telemetry: a bug');
    this.#told = message;
    if (response.headersSent) response.destroy();
    else reply(response, 500, 'text/plain', `${message}\n`);
  }
}

function report(response: ServerResponse, found: Report): void {
  const body = `${JSON.stringify(found)}\n`;
  reply(response, found.status === 'pass' ? 200 : 503, 'application/json', body);
}

function reply(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(body);
}
