import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { createServer } from 'node:tls';
import type { CleanUp } from '../temporary-folder.ts';

/** The files of who answers, in PEM. */
export interface Front {
  readonly certificate: string;
  readonly key: string;
  /** the authority that must have issued the certificate of each client; undefined: they need none */
  readonly clients?: string;
}

/**
 * Speaks TLS in front of a port, as a load balancer does, and returns its own port. The engine in the
 * tests has no listener for HTTPS.
 */
export async function startTlsFront(
  t: CleanUp,
  port: number,
  { certificate, key, clients }: Front,
): Promise<number> {
  const server = createServer({
    cert: readFileSync(certificate),
    key: readFileSync(key),
    ...(clients !== undefined && {
      ca: readFileSync(clients),
      requestCert: true,
      rejectUnauthorized: true,
    }),
  });
  server.on('secureConnection', (client) => {
    const behind = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [client, behind],
      [behind, client],
    ] as const) {
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  server.on('tlsClientError', (_, client) => client.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}
