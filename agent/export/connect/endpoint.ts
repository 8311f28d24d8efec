import { AgentError } from '../../errors.ts';

/** Where the collector listens, as a target of gRPC, and whether the connection uses TLS. */
export interface Endpoint {
  readonly target: string;
  readonly tls: boolean;
}

const FORM = /^(?:(https?|unix):\/\/)?(.*)$/i;
/** A host or an [IPv6] address, with an optional port. */
const AUTHORITY = /^((?:[a-z0-9_.-]+|\[[0-9a-f:.]+\]))(?::(\d{1,5}))?\/?$/i;
const DEFAULT_PORT = 4317;

/**
 * Reads `http://HOST:PORT`, `https://HOST:PORT`, `HOST:PORT` or `unix:///PATH`. Without a scheme
 * the connection uses TLS unless `insecure` is set, as the OpenTelemetry specification says; throws
 * EXPORT_ENDPOINT_INVALID.
 */
export function parseEndpoint(text: string, insecure: boolean): Endpoint {
  const [, scheme, rest = ''] = FORM.exec(text.trim()) ?? [];
  const protocol = scheme?.toLowerCase();
  if (protocol === 'unix' && rest.startsWith('/')) return { target: `unix://${rest}`, tls: false };
  const [, host, port = `${DEFAULT_PORT}`] = AUTHORITY.exec(rest) ?? [];
  if (host === undefined || protocol === 'unix' || Number(port) < 1 || Number(port) > 65_535)
    throw new AgentError('EXPORT_ENDPOINT_INVALID', { given: JSON.stringify(text) });
  const tls = protocol === undefined ? !insecure : protocol === 'https';
  return { target: `${host}:${port}`, tls };
}
