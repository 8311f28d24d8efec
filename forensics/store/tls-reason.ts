import type { CredentialOptions } from './credentials.ts';

/** What the certificate of a server lacks, as Node calls it, and what to do. */
const BAD_CERTIFICATES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'has a certificate that has expired: renew it on the server',
  CERT_NOT_YET_VALID:
    'has a certificate that is not valid yet: compare the clocks of the server and of this machine',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'has a certificate for other names: name the server as its certificate does',
};

/** An authority that is not known, or a certificate that is its own authority. */
const UNKNOWN_AUTHORITY: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
]);

/** Returns why TLS failed, and what to do; undefined: it did not. */
export function tlsReason(
  { code = '', message }: { readonly code: string | undefined; readonly message: string },
  url: string,
  { storeCa, storeCert }: CredentialOptions,
): string | undefined {
  const isClosed = code === 'ECONNRESET' || message === 'socket hang up';
  if (!url.startsWith('https:'))
    return isClosed
      ? 'closes the connection without an answer: if this is the port of HTTPS, add ?secure=true to the address'
      : undefined;
  if (isClosed && storeCert !== undefined)
    return 'closes the connection without an answer: it may not accept the certificate in --store-cert';
  if (BAD_CERTIFICATES[code] !== undefined) return BAD_CERTIFICATES[code];
  if (UNKNOWN_AUTHORITY.has(code))
    return storeCa === undefined
      ? 'has a certificate from an authority that this machine does not know: name the authority with --store-ca'
      : 'has a certificate that is not from the authority in --store-ca: name the one that issued it';
  if (/wrong version number|packet length too long|record overflow/i.test(message))
    return "does not speak TLS: leave ?secure=true out, or name the port of ClickHouse's HTTPS interface, which is mostly 8443";
  const [, alert] = /alert ([a-z ]+)/i.exec(message) ?? [];
  if (alert === undefined) return undefined;
  return storeCert === undefined
    ? `asks for the certificate of a client (${alert.trim()}): name it with --store-cert, and its key with --store-key`
    : `does not accept the certificate in --store-cert (${alert.trim()}): use one from an authority that the server knows`;
}
