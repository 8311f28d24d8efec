import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { CleanUp } from '../temporary-folder.ts';

/** What stands between a client and a registry. */
export interface Front {
  /** Returns what a GET of a path answers. */
  readonly change?: (path: string, content: Buffer) => Buffer;
  /** The credentials, USER:PASSWORD, for which it gives the token that it asks for. */
  readonly credentials?: string;
}

const TOKEN = 'Bearer of-the-test';

/** Starts a server in front of a registry, and returns its HOST:PORT. */
export async function startFront(
  t: CleanUp,
  registry: string,
  { change, credentials }: Front,
): Promise<string> {
  const server = createServer(async (asked, answer) => {
    const { method, headers, url = '/' } = asked;
    const { host } = headers;
    const content = await buffer(asked);
    if (url.startsWith('/token')) {
      const basic = `Basic ${Buffer.from(credentials ?? '').toString('base64')}`;
      answer.writeHead(headers.authorization === basic ? 200 : 401);
      return answer.end(JSON.stringify({ token: TOKEN.replace('Bearer ', '') }));
    }
    if (credentials !== undefined && headers.authorization !== TOKEN) {
      const challenge = `Bearer realm="http://${host}/token",service="test",scope="all"`;
      return answer.writeHead(401, { 'www-authenticate': challenge }).end();
    }
    const through = request(`http://${registry}${url}`, { method, headers });
    through.end(content);
    const [response] = (await once(through, 'response')) as [IncomingMessage];
    const received = await buffer(response);
    const changed = method === 'GET' && change !== undefined ? change(url, received) : received;
    answer.writeHead(response.statusCode ?? 500, response.headers);
    return answer.end(changed);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
