import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** A proxy in front of a collector. */
export interface Proxy {
  readonly port: number;
  /** that came from clients */
  bytes(): number;
  /** connections that clients have made */
  connections(): number;
  /**
   * From now on it accepts data and forwards nothing, in either direction, like a dead connection.
   */
  swallow(): void;
  pass(): void;
}

/** Forwards connections to a port of this machine. */
export async function startProxy(t: TestContext, to: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let bytes = 0;
  let connections = 0;
  let swallows = false;
  const server = createServer((client) => {
    connections += 1;
    // A connection that has lost a part of its bytes would be one that talks nonsense.
    let isDead = false;
    const collector = connect(to, '127.0.0.1');
    for (const [one, other] of [
      [client, collector],
      [collector, client],
    ] as const) {
      sockets.add(one);
      one.on('data', (data) => {
        if (one === client) bytes += data.length;
        isDead ||= swallows;
        if (!isDead) other.write(data);
      });
      one.on('close', () => other.destroy());
      one.on('error', () => {});
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    bytes: () => bytes,
    connections: () => connections,
    swallow: () => {
      swallows = true;
    },
    pass: () => {
      swallows = false;
    },
  };
}
