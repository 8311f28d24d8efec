import type { Anchor, Look, Reading, Span } from '../reading.ts';
import { unlessModest } from '../values.ts';

const END = /[\s/?#"'`<>\\]/;
const LONG_USER = 20;
const DSN_LENGTH = 256;
/** parameters of URLs and forms that are secret whatever their value */
const PARAMETERS = ['sig', 'signature', 'hmac', 'otp', 'appid'];
const PARAMETER_END = /[^\s&"'`<>\\]*/y;
/** a key of an API, not a key of a map */
const KEY = /(?=[\w-]{0,64}\d)[\w-]{20,}(?=$|[&\s"'`#])/y;
/** `user:` or `DOMAIN/user:`, without a scheme; the domain is group 1 */
const ACCOUNT = /^([\w.-]{1,64}[/\\]{1,2})?[\w.$-]{1,64}:/;
const ACCOUNT_LENGTH = 128;
/** the port or folder behind a host, if there is one, is group 1; not `@sha256:…` of an image */
const HOST = /(?!sha\d)[A-Za-z][\w-]{0,63}(?:\.[\w-]{1,63}){0,8}(?=$|[:/\s"'])(:\d|\/|)/y;
const ADDRESS = /\d{1,3}(?:\.\d{1,3}){3}(?=$|[:/\s"'])/y;

/**
 * Makes anchors that find passwords in `scheme://user:password@host`, `user:password@tcp(host)` and
 * `domain/user:password@host`, and signatures and keys in the parameters of URLs.
 */
export function urlAnchors(): Anchor[] {
  const parameters = ['?', '&'].flatMap((sign) =>
    PARAMETERS.map((name): Anchor => [`${sign}${name}=`, lookAtParameter]),
  );
  return [
    ['://', lookAtUrl],
    ['@tcp(', lookAtDsn],
    ['@unix(', lookAtDsn],
    ...parameters,
    ['-signature=', lookAtParameter],
    ['~hmac=', lookAtParameter],
    ['?key=', lookAtKey],
    ['&key=', lookAtKey],
    ['@', lookAtAccount],
  ];
}

/** Reads up to the next `/`, so that no character is read for two URLs. */
function lookAtUrl({ text }: Reading, _: number, from: number): Span | undefined {
  let colon = -1;
  let host = -1;
  for (let at = from; at < text.length && !END.test(text[at] ?? ''); at++) {
    if (text[at] === ':' && colon < 0) colon = at;
    if (text[at] === '@') host = at;
  }
  if (host < 0) return undefined;
  if (colon >= 0 && colon < host) return unlessModest(text, colon + 1, host);
  // Without a password, a long user name is a token.
  return host - from >= LONG_USER ? unlessModest(text, from, host) : undefined;
}

function lookAtDsn(reading: Reading, to: number): Span | undefined {
  const { text } = reading;
  reading.looks += 1;
  let colon = -1;
  for (let at = to - 1; at >= 0 && to - at < DSN_LENGTH; at--) {
    if (/[\s"'`=()]/.test(text[at] ?? '')) break;
    if (text[at] === ':') colon = at;
  }
  return colon < 0 ? undefined : unlessModest(text, colon + 1, to);
}

function lookAtParameter({ text }: Reading, _: number, from: number): Span | undefined {
  PARAMETER_END.lastIndex = from;
  PARAMETER_END.test(text);
  return unlessModest(text, from, PARAMETER_END.lastIndex);
}

/**
 * Finds the password in `DOMAIN/user:X@host` and `user:X@host:22`. Reads back to the `@` before at
 * most, so that no character is read twice.
 */
function lookAtAccount({ text }: Reading, at: number, behind: number): Span | undefined {
  let start = at;
  while (at - start < ACCOUNT_LENGTH && /[^\s"'`@=,]/.test(text[start - 1] ?? ' ')) start -= 1;
  if (start === at) return undefined;
  const account = text.slice(start, at);
  const [user, domain] = ACCOUNT.exec(account) ?? [];
  if (user === undefined || account.includes('/', user.length)) return undefined;
  ADDRESS.lastIndex = behind;
  HOST.lastIndex = behind;
  const place = ADDRESS.test(text) ? '/' : HOST.exec(text)?.[1];
  const accepted = place !== undefined && (domain !== undefined || place !== '');
  return accepted ? unlessModest(text, start + user.length, at) : undefined;
}

const lookAtKey: Look = ({ text }, _, from) => {
  KEY.lastIndex = from;
  return KEY.test(text) ? { from, to: KEY.lastIndex } : undefined;
};
