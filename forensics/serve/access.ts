import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { Refusal } from './refusal.ts';

/** Longer URLs are no question of the page. */
const URL_MAX = 8192;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const OPEN_IT = 'open the address that `vcml serve` printed when it started';
/** A browser uses a ticket at once. */
const TICKET_MS = 30_000;
const FOREIGN = 'the request comes from another page, which may not read records';

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

/**
 * Who may ask: the page that got the token. It is no cookie, because a browser sends cookies to every
 * port of a machine, and so to what other users listen on.
 */
export class Access {
  readonly #token = randomSecret();
  readonly #isRemote: boolean;
  readonly #now: () => number;
  /** when each ticket ends */
  readonly #tickets = new Map<string, number>();

  /** If `isRemote`, the server may be named as something else than this machine itself. */
  constructor(isRemote: boolean, now = () => performance.now()) {
    this.#isRemote = isRemote;
    this.#now = now;
  }

  /** The end of the first address; a browser sends what is behind a `#` to nobody. */
  get fragment(): string {
    return `#token=${this.#token}`;
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
    if (origin !== undefined && origin !== `http://${host}`) throw new Refusal(403, FOREIGN);
  }

  /** Refuses requests for records from other sites, and without the token. */
  checkQuestion({ headers }: IncomingMessage): void {
    checkSite(headers);
    const [, token = ''] = /^Bearer +([\w-]+)$/.exec(headers.authorization ?? '') ?? [];
    if (isSame(token, this.#token)) return;
    throw new Refusal(
      401,
      `this page has no token, or that of an earlier start: ${OPEN_IT}, or paste it here`,
    );
  }

  /** Returns what a download has instead of the token: a browser sends no header of a page with it. */
  ticket(): string {
    const now = this.#now();
    for (const [ticket, end] of this.#tickets) if (end <= now) this.#tickets.delete(ticket);
    const ticket = randomSecret();
    this.#tickets.set(ticket, now + TICKET_MS);
    return ticket;
  }

  /** Refuses a ticket that was used before, or is too old. */
  checkTicket({ headers }: IncomingMessage, ticket: string): void {
    checkSite(headers);
    const end = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    if (end === undefined || end <= this.#now())
      throw new Refusal(401, 'a download can be asked for once and at once: begin it in the page');
  }

  #isOurs(host: string): boolean {
    const [, name = ''] = /^(\[[\da-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i.exec(host) ?? [];
    if (LOOPBACK.test(name)) return true;
    // An address cannot be made to lead elsewhere; a name can.
    const isAddress = isIP(name.replaceAll(/[[\]]/g, '')) > 0;
    return this.#isRemote && (isAddress || name === hostname());
  }
}

function checkSite({ 'sec-fetch-site': site }: IncomingHttpHeaders): void {
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    throw new Refusal(403, FOREIGN);
}

function randomSecret(): string {
  return randomBytes(32).toString('base64url');
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
