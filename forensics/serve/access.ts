import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { Refusal } from './refusal.ts';

/** Longer URLs are no question of the page. */
const URL_MAX = 8192;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const OPEN_IT = 'open the address that `vcml serve` printed when it started';

/** Sent with every answer. The page may load its own script and style, and nothing else. */
export const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

/** Who may ask: the browser that opened the address with the token. */
export class Access {
  readonly #token = randomBytes(32).toString('base64url');
  readonly #session = randomBytes(32).toString('base64url');
  readonly #isRemote: boolean;
  #cookie = '';

  /** If `isRemote`, the server may be named as something else than this machine itself. */
  constructor(isRemote: boolean) {
    this.#isRemote = isRemote;
  }

  /** Returns the path of the first address; a browser keeps cookies by host and not by port. */
  listensOn(port: number): string {
    this.#cookie = `vcml-${port}`;
    return `/?token=${this.#token}`;
  }

  /** The header that makes a browser one that may ask. */
  get cookie(): string {
    return `${this.#cookie}=${this.#session}; HttpOnly; SameSite=Strict; Path=/`;
  }

  /** Refuses what no page of this server sends; a name that leads here may be an attacker's. */
  check({ method = '', url = '', headers }: IncomingMessage): void {
    if (method !== 'GET' && method !== 'HEAD')
      throw new Refusal(405, `${method}: this server only answers GET and HEAD`, {
        allow: 'GET, HEAD',
      });
    if (url.length > URL_MAX)
      throw new Refusal(414, `the address is longer than ${URL_MAX} characters: select less`);
    const { host = '', origin } = headers;
    if (!this.#isOurs(host))
      throw new Refusal(421, `this server does not answer for this host: ${OPEN_IT}`);
    if (origin !== undefined && origin !== `http://${host}`)
      throw new Refusal(403, 'the request comes from another page, which may not read records');
  }

  /** Refuses requests for records from other sites, and from browsers without the token. */
  checkQuestion({ headers }: IncomingMessage): void {
    const { cookie = '', 'sec-fetch-site': site } = headers;
    if (site !== undefined && site !== 'same-origin' && site !== 'none')
      throw new Refusal(403, 'the request comes from another page, which may not read records');
    const values = cookie.split(/; */).map((pair) => pair.split('='));
    const isKnown = values.some(
      ([name, value = '']) => name === this.#cookie && isSame(value, this.#session),
    );
    if (!isKnown) throw new Refusal(401, `this browser may not read records: ${OPEN_IT}`);
  }

  /** Refuses a wrong token. */
  checkToken(token: string): void {
    if (!isSame(token, this.#token))
      throw new Refusal(
        401,
        `the token is wrong, because the server was started again: ${OPEN_IT}`,
      );
  }

  #isOurs(host: string): boolean {
    const [, name = ''] = /^(\[[\da-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i.exec(host) ?? [];
    if (LOOPBACK.test(name)) return true;
    // An address cannot be made to lead elsewhere; a name can.
    const isAddress = isIP(name.replaceAll(/[[\]]/g, '')) > 0;
    return this.#isRemote && (isAddress || name === hostname());
  }
}

/** Whether an address is one that only this machine reaches. */
export function isLoopback(address: string): boolean {
  return LOOPBACK.test(address);
}

/** Compares secrets in a time that says nothing about them. */
function isSame(given: string, secret: string): boolean {
  const [one, other] = [given, secret].map((text) => createHash('sha256').update(text).digest());
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}
