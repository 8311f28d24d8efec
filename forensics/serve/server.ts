import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { visible } from '../../record/visible.ts';
import { ForensicsError } from '../errors.ts';
import { remark } from '../output/stderr.ts';
import { Access, HEADERS } from './access.ts';
import { type Asked, answerQuestion, sendJson } from './api.ts';
import { readPageFiles } from './page-files.ts';
import { Refusal, refusalOf } from './refusal.ts';
import { Turns } from './turns.ts';

/** Where a server listens, and what it answers about. */
export interface Served extends Omit<Asked, 'turns' | 'downloads'> {
  readonly host: string;
  /** 0: any free port */
  readonly port: number;
  /** Whether others than this machine may reach it. */
  readonly isRemote: boolean;
}

const CONNECTIONS_MAX = 256;
const AT_ONCE = 4;
const WAITING = 64;
const HEADER_BYTES = 32 << 10;
/** How long a question may take to notice that the server stops. */
const ENDING_MS = 5000;

/** Answers requests until the signal stops it; `onListening` gets the address to open. */
export async function serve(
  served: Served,
  onListening: (address: string) => void | Promise<void>,
): Promise<void> {
  const { host, port, isRemote, stop } = served;
  const access = new Access(isRemote);
  const files = readPageFiles();
  const turns = new Turns(AT_ONCE, WAITING);
  const downloads = new Turns(AT_ONCE, WAITING);
  const server = createServer({ maxHeaderSize: HEADER_BYTES }, (request, response) => {
    answer(request, response).catch((error: unknown) =>
      stop.aborted ? response.destroy() : refuse(response, error),
    );
  });
  server.maxConnections = CONNECTIONS_MAX;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    access.check(request);
    const url = URL.parse(`http://vcml${request.url}`);
    if (url === null || !request.url?.startsWith('/'))
      throw new Refusal(400, 'the address is none of this server');
    if (url.pathname.startsWith('/api/')) {
      const ticket = url.pathname === '/api/export' ? url.searchParams.get('ticket') : null;
      if (ticket === null) access.checkQuestion(request);
      else access.checkTicket(request, ticket);
      if (url.pathname === '/api/ticket')
        return sendJson(response, 200, { ticket: access.ticket() });
      url.searchParams.delete('ticket');
      return answerQuestion({ ...served, turns, downloads }, url, response);
    }
    const file = files.get(url.pathname);
    if (file === undefined) throw new Refusal(404, 'there is no such page');
    response.writeHead(200, { 'content-type': file.type });
    response.end(file.content);
  }

  const bound = await listening(server, host, port);
  await onListening(
    `http://${host.includes(':') ? `[${host}]` : host}:${bound}/${access.fragment}`,
  );
  if (!stop.aborted) await once(stop, 'abort');
  server.close();
  server.closeAllConnections();
  const ended = Promise.all([turns.ended(), downloads.ended()]);
  await Promise.race([ended, pause(ENDING_MS, undefined, { ref: false })]);
}

async function listening(server: Server, host: string, port: number): Promise<number> {
  try {
    server.listen(port, host);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  } catch (cause) {
    const { message } = cause as Error;
    throw new ForensicsError(
      'usage',
      `cannot listen on ${host}:${port}: ${message}; name another port with --listen ${host}:PORT`,
      { cause },
    );
  }
}

/** Says why there is no answer; a download that has begun is cut, so that it is not taken for whole. */
function refuse(response: ServerResponse, error: unknown): void {
  if (response.destroyed || response.headersSent) {
    response.destroy();
    return;
  }
  const refusal = refusalOf(error);
  if (refusal === undefined)
    remark(visible(`a question failed: ${(error as Error).stack ?? error}`));
  const { status, message, headers } =
    refusal ??
    new Refusal(500, 'this is a bug of vcml: its output on the terminal has the details');
  sendJson(response, status, { error: message }, headers);
}
