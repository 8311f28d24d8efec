import { ForensicsError } from '../errors.ts';

/** Where a store is, from `clickhouse://USER@HOST:PORT/DATABASE`. */
export interface Address {
  /** the server's HTTP interface */
  readonly url: string;
  readonly user: string;
  readonly database: string;
  /** the table of `?table=`, which only the address of an audit log may have */
  readonly table?: string;
}

const FORM = 'clickhouse://USER@HOST:PORT/DATABASE';

/** Returns whether an input names a store. */
export function isStore(input: string): boolean {
  return input.startsWith('clickhouse://');
}

/**
 * Reads the address of a store, or of one table. The port is that of HTTP; `?secure=true` asks for TLS.
 */
export function parseAddress(text: string, mayHaveTable = false): Address {
  if (!isStore(text) || !URL.canParse(text))
    throw new ForensicsError(
      'usage',
      `a store is named as ${FORM}, not as ${withoutPassword(text)}`,
    );
  const { username, password, hostname, port, pathname, searchParams } = new URL(text);
  if (password !== '')
    throw new ForensicsError(
      'usage',
      'a password in the address of a store is visible to everyone on this machine: name a file with --store-password-file, or set VCML_STORE_PASSWORD',
    );
  for (const [name, value] of searchParams) {
    const isTable = name === 'table' && mayHaveTable && value !== '';
    if (!isTable && (name !== 'secure' || !['true', 'false'].includes(value)))
      throw new ForensicsError(
        'usage',
        `the address of a ${mayHaveTable ? 'table has ?table=NAME and' : 'store has'} ?secure=true, not ${name}`,
      );
  }
  const database = decodeURIComponent(pathname.slice(1));
  if (hostname === '' || database.includes('/'))
    throw new ForensicsError('usage', `a store is named as ${FORM}`);
  const secure = searchParams.get('secure') === 'true';
  const table = searchParams.get('table');
  return {
    url: `${secure ? 'https' : 'http'}://${hostname}:${port || (secure ? '8443' : '8123')}`,
    user: decodeURIComponent(username) || 'default',
    database: database || 'vcml',
    ...(table !== null && { table }),
  };
}

/** Returns a text that may be an address without the password in it. */
export function withoutPassword(text: string): string {
  // A password may have every character; what is in front of the last @ is a user at most.
  return text.replace(/^((?:[a-z0-9+.-]*:\/\/)?[^:@/]*):(?!\/\/).*@/is, '$1:…@');
}
