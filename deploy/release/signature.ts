import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import type { Statement } from './provenance.ts';

/** The media types and annotations of cosign: https://github.com/sigstore/cosign/tree/main/specs */
export const COSIGN = {
  payload: 'application/vnd.dev.cosign.simplesigning.v1+json',
  envelope: 'application/vnd.dsse.envelope.v1+json',
  signatures: 'application/vnd.dev.cosign.artifact.sig.v1+json',
  attestations: 'application/vnd.dev.cosign.artifact.att.v1+json',
  signature: 'dev.cosignproject.cosign/signature',
} as const;

const TYPE = 'application/vnd.in-toto+json';

/** A signed statement: https://github.com/secure-systems-lab/dsse */
export interface Envelope {
  readonly payloadType: string;
  readonly payload: string;
  readonly signatures: readonly { readonly sig: string }[];
}

/** What cosign signs for an image or an artifact. */
export function payloadOf(repository: string, digest: string): Buffer<ArrayBuffer> {
  const critical = {
    identity: { 'docker-reference': repository },
    image: { 'docker-manifest-digest': digest },
    type: 'cosign container image signature',
  };
  return Buffer.from(JSON.stringify({ critical, optional: null }));
}

/** Signs with ECDSA and SHA-256; the signature is in base64. */
export function signed(bytes: Uint8Array, key: KeyObject): string {
  return sign('sha256', bytes, key).toString('base64');
}

/** Whether the signature is that of the key's owner. */
export function isSigned(bytes: Uint8Array, signature: string, key: KeyObject): boolean {
  return verify('sha256', bytes, key, Buffer.from(signature, 'base64'));
}

/** Signs a statement. */
export function sealed(statement: Statement, key: KeyObject): Envelope {
  const payload = Buffer.from(JSON.stringify(statement));
  const sig = signed(encoded(TYPE, payload), key);
  return { payloadType: TYPE, payload: payload.toString('base64'), signatures: [{ sig }] };
}

/** Returns the statement of an envelope that the key's owner signed; undefined: he did not. */
export function unsealed(envelope: Envelope, key: KeyObject): Statement | undefined {
  const payload = Buffer.from(envelope.payload, 'base64');
  const bytes = encoded(envelope.payloadType, payload);
  if (envelope.payloadType !== TYPE) return undefined;
  if (!envelope.signatures.some(({ sig }) => isSigned(bytes, sig, key))) return undefined;
  return JSON.parse(payload.toString('utf8'));
}

/** Refuses keys that cosign would not take. */
export function publicKeyOf(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== 'ec') throw new Error('the key must be an ECDSA key on P-256');
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw new Error('the key must be on P-256 (prime256v1)');
  return key.type === 'public' ? key : createPublicKey(key);
}

/** DSSE's pre-authentication encoding. */
function encoded(type: string, payload: Buffer): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}
