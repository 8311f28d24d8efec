import { createHash } from 'node:crypto';
import type { JournalRecord } from './journal-records.ts';

/**
 * Whether a record's id is the UUIDv5 of a name in its boot. It is computed without record/ids.ts, on
 * purpose: see line-rules.ts.
 */
export function isNameOf({ boot, id }: JournalRecord, name: string): boolean {
  const namespace = Buffer.from(boot.replaceAll('-', ''), 'hex');
  const bytes = createHash('sha1').update(namespace).update(name).digest();
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex', 0, 16) === id.replaceAll('-', '');
}
