/** UUIDs of the judge, computed with Node's own SHA-1 and not with record/ids.ts; see check.ts. */

import { createHash } from 'node:crypto';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const UUID5 = /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Returns whether a value is a UUID in lower case. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** Returns whether a value is a UUIDv5 (RFC 9562, 5.5) in lower case. */
export function isUuid5(text: string): boolean {
  return UUID5.test(text);
}

/** Returns the UUIDv5 of a name in the namespace of a UUID (RFC 9562, 5.5). */
export function uuid5(namespace: string, name: string): string {
  const hash = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest();
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString('hex', 0, 16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}
