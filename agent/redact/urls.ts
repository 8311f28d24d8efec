import type { Anchor, Reading, Span } from './reading.ts';
import { unlessModest } from './values.ts';

const END = /[\s/?#"'`<>\\]/;
const LONG_USER = 20;
const DSN_LENGTH = 256;

/**
 * Makes anchors that find passwords in `scheme://user:password@host` and `user:password@tcp(host)`.
 */
export function urlAnchors(): Anchor[] {
  return [
    ['://', lookAtUrl],
    ['@tcp(', lookAtDsn],
    ['@unix(', lookAtDsn],
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
