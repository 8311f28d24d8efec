import type { Server } from 'node:http';
import type { Socket } from 'node:net';

const CONNECTIONS_MAX = 32;
/** Neither the kubelet nor Prometheus sends a request before it has the answer to the last one. */
const ANSWERING_MAX = 8;

/** A connection, and how many of its requests are being answered now. */
interface Connection {
  readonly socket: Socket;
  readonly peer: string;
  answering: number;
}

/**
 * Makes room for a new connection if there are too many: the client with the most connections loses
 * its oldest one, and an idle one before one that is being answered. So a client that fills the
 * socket shuts out itself, and a probe from elsewhere is answered. A client that sends requests
 * without waiting for the answers is disconnected.
 */
export function limitConnections(server: Server, max = CONNECTIONS_MAX): void {
  /** oldest first */
  const connections = new Map<Socket, Connection>();
  server.on('connection', (socket: Socket) => {
    if (connections.size >= max) victimOf([...connections.values()]).socket.destroy();
    connections.set(socket, { socket, peer: socket.remoteAddress ?? '', answering: 0 });
    socket.once('close', () => connections.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    const connection = connections.get(socket);
    if (connection === undefined) return;
    connection.answering += 1;
    if (connection.answering > ANSWERING_MAX) socket.destroy();
    response.once('close', () => {
      connection.answering -= 1;
    });
  });
}

function victimOf(connections: readonly Connection[]): Connection {
  const counts = new Map<string, number>();
  for (const { peer } of connections) counts.set(peer, (counts.get(peer) ?? 0) + 1);
  const most = Math.max(...counts.values());
  const crowded = connections.filter(({ peer }) => counts.get(peer) === most);
  const victim = crowded.find(({ answering }) => answering === 0) ?? crowded[0];
  if (victim === undefined) throw new RangeError('there is no connection to end');
  return victim;
}
