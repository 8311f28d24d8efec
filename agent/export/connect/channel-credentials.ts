import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import { ChannelCredentials } from '@grpc/grpc-js';
import type { Credentials } from './credential-files.ts';
import type { Endpoint } from './endpoint.ts';
import { connectToAddress } from './grpc-internals.ts';

/** The credentials as gRPC takes them, for one connection to this endpoint. */
export function createChannelCredentials(
  { target, tls }: Endpoint,
  { authorities, key, chain }: Credentials,
): ChannelCredentials {
  if (!tls) return ChannelCredentials.createInsecure();
  const context = createSecureContext({
    ...(authorities && { ca: authorities }),
    ...(key && chain && { key, cert: chain }),
  });
  const credentials = ChannelCredentials.createFromSecureContext(context);
  const host = target.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  if (isIP(host) !== 0) connectToAddress(credentials, host, context);
  return credentials;
}
