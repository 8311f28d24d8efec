/** The address at which a server listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

const ADDRESS = /^(?:(?:\[(?<ipv6>[^\]]+)\]|(?<name>[A-Za-z0-9.-]+)):)?(?<port>\d{1,5})$/;

/** Parses `127.0.0.1:9469` or `[::1]:9469`; a port alone is a port of the loopback interface. */
export function parseAddress(text: string): Address | undefined {
  const { ipv6, name, port } = ADDRESS.exec(text)?.groups ?? {};
  if (port === undefined || Number(port) > 65_535) return undefined;
  if (ipv6 !== undefined && !URL.canParse(`http://[${ipv6}]`)) return undefined;
  return { host: ipv6 ?? name ?? '127.0.0.1', port: Number(port) };
}
