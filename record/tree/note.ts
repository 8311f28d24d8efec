/**
 * Signed notes of checkpoints (C2SP signed-note and tlog-checkpoint, with Ed25519): origin, size and
 * root of a tree, each on a line, and below an empty line the signature.
 */
import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  verify as verifySignature,
} from 'node:crypto';
import { fromBase64, sha256 } from './hashes.ts';

/** The type of a key, C2SP's name for Ed25519. */
const ED25519 = 0x01;
const KEY_BYTES = 32;
const HASH_BYTES = 4;
const SIGNATURE_BYTES = 64;
const LINE = /^— (?<name>\S+) (?<signature>[A-Za-z0-9+/]+={0,2})$/;
const VERIFIER_KEY = /^(?<name>[^\s+]+)\+(?<hash>[0-9a-f]{8})\+(?<key>[A-Za-z0-9+/]+={0,2})$/;
/** DER of a public key of Ed25519 up to the key itself (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** Returns the name of the key of a host, by its `host.id`, or `host.name` where it has none. */
export function keyName(host: string): string {
  return `vcml/${host}`;
}

/** Returns the text of the note of a checkpoint: origin, size and root (base64), a line each. */
export function noteBody(host: string, epoch: string, size: number, root: string): string {
  return `${keyName(host)}/${epoch}\n${size}\n${root}\n`;
}

/** Reads an Ed25519 private key, PKCS#8 in PEM. Throws an Error that says what is wrong with any other. */
export function readSigningKey(pem: string | Buffer): KeyObject {
  if (!/^-----BEGIN PRIVATE KEY-----\r?$/m.test(pem.toString('latin1')))
    throw new Error('not a private key in PEM (PKCS#8, without a passphrase)');
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    throw new Error(`a private key that cannot be read: ${(error as Error).message}`);
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new Error(`a key of type ${key.asymmetricKeyType}, not ed25519`);
  return key;
}

/** Returns the note of a text that ends with a line feed, signed. Throws if a key cannot have this name. */
export function signNote(key: KeyObject, name: string, body: string): string {
  const signature = sign(null, Buffer.from(body), key);
  const signed = Buffer.concat([keyHash(name, publicBytes(key)), signature]).toString('base64');
  return `${body}\n— ${name} ${signed}\n`;
}

/** Returns what others need to verify the notes of this key: `NAME+HASH+KEY` (C2SP). */
export function verifierKey(key: KeyObject, name: string): string {
  const bytes = publicBytes(key);
  const typed = Buffer.concat([Buffer.of(ED25519), bytes]).toString('base64');
  return `${name}+${keyHash(name, bytes).toString('hex')}+${typed}`;
}

/**
 * Returns the text of a note that this key has signed; undefined: it is no note, or has no valid
 * signature of this key. It skips signatures of other keys. Throws if the verifier key is none.
 */
export function verifyNote(note: string, verifierKey: string): string | undefined {
  const { name, hash, key } = readVerifierKey(verifierKey);
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n')) return undefined;
  const body = note.slice(0, end + 1);
  const lines = note
    .slice(end + 2, -1)
    .split('\n')
    .map(signatureOf);
  if (lines.includes(undefined)) return undefined;
  const ours = lines.find((line) => line?.name === name && line.hash.equals(hash));
  if (ours === undefined || ours.signature.length !== SIGNATURE_BYTES) return undefined;
  return verifySignature(null, Buffer.from(body), key, ours.signature) ? body : undefined;
}

/** Reads a verifier key; throws an Error that says what is wrong with it. */
export function readVerifierKey(text: string): { name: string; hash: Buffer; key: KeyObject } {
  const parts = VERIFIER_KEY.exec(text.trim())?.groups as
    | { name: string; hash: string; key: string }
    | undefined;
  const typed = parts === undefined ? undefined : fromBase64(parts.key);
  if (parts === undefined || typed === undefined) throw new Error('not of the form NAME+HASH+KEY');
  if (typed[0] !== ED25519 || typed.length !== 1 + KEY_BYTES)
    throw new Error('not a verifier key of Ed25519');
  const bytes = typed.subarray(1);
  const hash = keyHash(parts.name, bytes);
  if (hash.toString('hex') !== parts.hash)
    throw new Error('a verifier key whose hash is not that of its name and key');
  const der = Buffer.concat([SPKI_PREFIX, bytes]);
  return {
    name: parts.name,
    hash,
    key: createPublicKey({ key: der, format: 'der', type: 'spki' }),
  };
}

function signatureOf(line: string): { name: string; hash: Buffer; signature: Buffer } | undefined {
  const parts = LINE.exec(line)?.groups as { name: string; signature: string } | undefined;
  const bytes = parts === undefined ? undefined : fromBase64(parts.signature);
  if (parts === undefined || bytes === undefined || bytes.length <= HASH_BYTES) return undefined;
  return {
    name: parts.name,
    hash: bytes.subarray(0, HASH_BYTES),
    signature: bytes.subarray(HASH_BYTES),
  };
}

function keyHash(name: string, key: Buffer): Buffer {
  if (!/^[^\s+]+$/.test(name)) throw new Error(`"${name}" cannot be the name of a key`);
  const hashed = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ED25519), key]);
  return sha256(hashed).subarray(0, HASH_BYTES);
}

function publicBytes(key: KeyObject): Buffer {
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return spki.subarray(SPKI_PREFIX.length);
}
