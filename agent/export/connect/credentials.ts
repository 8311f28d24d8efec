import { isIP, type Socket } from 'node:net';
import { connect, createSecureContext, type SecureContext } from 'node:tls';
import { ChannelCredentials } from '@grpc/grpc-js';
import type { Identity } from './credential-files.ts';
import type { Endpoint } from './endpoint.ts';

type Connector = ReturnType<ChannelCredentials['_createSecureConnector']>;

/**
 * gRPC shares connections between channels whose credentials are equal, and with them their back-off
 * of up to two minutes. These equal themselves alone: a new client connects at once.
 */
export function createCredentials(endpoint: Endpoint, identity: Identity): ChannelCredentials {
  const own = endpoint.tls
    ? secureCredentials(endpoint, identity)
    : ChannelCredentials.createInsecure();
  own._equals = (other) => other === own;
  return own;
}

function secureCredentials({ target }: Endpoint, identity: Identity): ChannelCredentials {
  const { authorities, key, chain } = identity;
  const context = createSecureContext({
    ...(authorities && { ca: authorities }),
    ...(key && chain && { key, cert: chain }),
  });
  const own = ChannelCredentials.createFromSecureContext(context);
  const host = target.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  if (isIP(host) === 0) return own;
  // gRPC would send the address as the server's name, which TLS has for names alone (RFC 6066).
  const createConnector = own._createSecureConnector.bind(own);
  own._createSecureConnector = (...parameters) => {
    const connector = createConnector(...parameters);
    connector.connect = (socket) => connectTo(host, socket, context);
    return connector;
  };
  return own;
}

/** TLS on a socket to an address, which the certificate must name. */
function connectTo(
  host: string,
  socket: Socket,
  secureContext: SecureContext,
): ReturnType<Connector['connect']> {
  return new Promise((resolve, reject) => {
    const options = { host, socket, secureContext, servername: '', ALPNProtocols: ['h2'] };
    const secure = connect(options, () => resolve({ socket: secure, secure: true }));
    secure.on('error', reject);
  });
}
