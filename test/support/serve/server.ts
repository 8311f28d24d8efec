import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { VCML_BIN } from '../paths.ts';
import type { CleanUp } from '../temporary-folder.ts';

/** An answer of a server. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What a request has besides its path. */
export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** `vcml serve`, and a client that has the token of its address. */
export interface Server {
  readonly address: URL;
  /** what gives the client access, as a header */
  readonly authorization: string;
  /** Sends a request with the token. */
  send(path: string, sent?: Sent): Promise<Reply>;
  /** Sends a request as it is. */
  sendPlainly(path: string, sent?: Sent): Promise<Reply>;
  /** Returns an answer as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form
  json(path: string): Promise<any>;
  /** Ends the server with a signal, and returns its exit code and what it wrote to stderr. */
  stop(signal?: NodeJS.Signals): Promise<{ readonly code: number | null; readonly stderr: string }>;
}

/** Starts `vcml serve` with these arguments on a free port. */
export async function startServer(t: CleanUp, ...args: readonly string[]): Promise<Server> {
  const listen = args.includes('--listen') ? [] : ['--listen', '127.0.0.1:0'];
  const child = spawn(VCML_BIN, ['serve', ...args, ...listen], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  const stderr = text(child.stderr);
  // A server that is killed leaves its temporary folder behind.
  t.after(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const [line] = await Promise.race([
    once(createInterface(child.stdout), 'line'),
    ended.then(async () => [await stderr]),
  ]);
  const found = /^vcml serve: (http:\S+)$/.exec(`${line}`)?.[1];
  if (found === undefined) throw new Error(`vcml serve said: ${line}`);
  const address = new URL(found);
  const sendPlainly = (path: string, sent?: Sent) => sendTo(address, path, sent);
  const authorization = `Bearer ${address.hash.replace('#token=', '')}`;
  const send = (path: string, { method, headers = {} }: Sent = {}) =>
    sendPlainly(path, { ...(method && { method }), headers: { authorization, ...headers } });
  return {
    address,
    authorization,
    send,
    sendPlainly,
    async json(path) {
      const { status, body } = await send(path);
      if (status !== 200) throw new Error(`${path}: ${status} ${body}`);
      return JSON.parse(body);
    },
    async stop(signal = 'SIGINT') {
      child.kill(signal);
      const [code] = await ended;
      return { code, stderr: await stderr };
    },
  };
}

async function sendTo(
  { hostname, port }: URL,
  path: string,
  { method = 'GET', headers = {} }: Sent = {},
): Promise<Reply> {
  const sent = request({ host: hostname, port, path, method, headers, agent: false });
  sent.end();
  const [response] = await once(sent, 'response');
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}
