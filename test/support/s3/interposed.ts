import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import { listen } from '../listen.ts';
import type { CleanUp } from '../temporary-folder.ts';
import type { S3 } from './s3.ts';

/** What happens between a client and a server. */
export interface Interposed {
  /** Called before an object is asked for. */
  readonly beforeGet?: (key: string) => Promise<void>;
  /** Returns after how many bytes of an object the connection breaks; undefined: it does not. */
  readonly cutAfter?: (key: string) => number | undefined;
}

/** Stands between a client and a server, and returns the environment of the client. */
export async function interpose(
  t: CleanUp,
  { url, env }: Pick<S3, 'url' | 'env'>,
  { beforeGet, cutAfter }: Interposed,
): Promise<Readonly<Record<string, string>>> {
  const server = createServer(async (asked, answer) => {
    const key = keyOf(asked);
    if (key !== undefined) await beforeGet?.(key);
    const { method, headers } = asked;
    const path = asked.url ?? '/';
    const through = request(url, { method, path, headers });
    asked.pipe(through);
    const [response] = (await once(through, 'response')) as [IncomingMessage];
    answer.writeHead(response.statusCode ?? 500, response.headers);
    const after = key === undefined ? undefined : cutAfter?.(key);
    if (after === undefined) return response.pipe(answer);
    let passed = 0;
    for await (const bytes of response) {
      answer.write(bytes.subarray(0, after - passed));
      passed += bytes.length;
      if (passed >= after) break;
    }
    await new Promise((resolve) => answer.write('', resolve));
    return answer.destroy();
  });
  return { ...env, AWS_ENDPOINT_URL_S3: await listen(t, server) };
}

/** The key of the object that is asked for; undefined: something else is. */
function keyOf({ method, url = '' }: IncomingMessage): string | undefined {
  const [path = '', query = ''] = url.split('?');
  if (method !== 'GET' || query.includes('list-type')) return undefined;
  return decodeURIComponent(path.split('/').slice(2).join('/'));
}
