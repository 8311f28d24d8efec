import { readRecord, type StoredRecord } from '../record/read.ts';
import { ForensicsError } from './errors.ts';

/** Reads a line that a scan found to be a record; throws if it is none any more. */
export function recordIn(line: string): StoredRecord {
  const record = readRecord(line);
  if (record !== undefined) return record;
  throw new ForensicsError('unreadable', 'a file was changed while it was read: ask again');
}
