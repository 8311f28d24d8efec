import { statSync } from 'node:fs';
import type { Json } from '../../record/exact-json.ts';
import type { StoredRecord } from '../../record/read.ts';
import { ForensicsError } from '../errors.ts';
import { readLines } from '../inputs/read/lines.ts';
import { copyStream, isStream } from '../inputs/read/stream.ts';
import { readText } from '../inputs/read/text.ts';
import { Temporary } from '../inputs/temporary.ts';
import { isStore } from '../store/address.ts';
import type { ConnectionOptions } from '../store/connect.ts';
import { parseEvents } from './audit-events.ts';
import type { ExecRequest } from './exec-request.ts';
import { type Found, Requests } from './requests.ts';

/** Files up to this size are parsed as a whole where they are not lines of JSON. */
const WHOLE_MAX = 256 << 20;

/** The contents of an audit log. */
export interface AuditLog {
  /** the requests that were not refused, each once */
  readonly requests: readonly ExecRequest[];
  /** A sentence about what was found in the log; undefined: no log is given. */
  readonly summary: string | undefined;
  /** Returns a sentence for each request that may be behind a record; see candidates.ts. */
  candidatesOf(record: StoredRecord): string[];
}

/**
 * Reads the `pods/exec` requests in an audit log: all of a file, or those in a table of ClickHouse that
 * may be behind these records. Without a path there are none.
 */
export async function readAuditLog(
  path: string | undefined,
  records: readonly StoredRecord[],
  connection: ConnectionOptions,
): Promise<AuditLog> {
  if (path === undefined) return { requests: [], summary: undefined, candidatesOf: () => [] };
  // Comparing needs the rules of redaction, which take a tenth of the time in which a command starts.
  const { candidatesOf } = await import('./candidates.ts');
  const found = isStore(path) ? await inTable(path, records, connection) : await foundIn(path);
  return { ...found, candidatesOf: (record) => candidatesOf(record, found.requests) };
}

async function inTable(
  address: string,
  records: readonly StoredRecord[],
  connection: ConnectionOptions,
): Promise<Found> {
  const { requestsInTable } = await import('../store/audit-log.ts');
  return requestsInTable(address, records, connection);
}

async function foundIn(path: string): Promise<Found> {
  const temporary = new Temporary();
  try {
    if (!isStream(path)) return await readFile(path, path);
    const copy = temporary.file();
    await copyStream(path, copy);
    return await readFile(path, copy);
  } catch (cause) {
    throw new ForensicsError('unreadable', `${path}: ${(cause as Error).message}`, { cause });
  } finally {
    temporary.close();
  }
}

/** Reads a file, which messages call `path`. */
async function readFile(path: string, file: string): Promise<Found> {
  const log = new Requests();
  let lines = 0;
  let isInLines = true;
  for await (const { text } of readLines(file, { onDamage: log.damaged })) {
    lines += 1;
    const value = parseEvents(text);
    // The first line of a JSON text that has several is not JSON by itself.
    if (lines === 1) isInLines = value !== undefined;
    log.take(value);
  }
  if (log.isDamaged && lines === 0) throw new Error('damaged, so that nothing in it can be read');
  const whole = isInLines ? undefined : await parsedAsWhole(file);
  if (whole !== undefined) {
    const other = new Requests();
    other.take(whole);
    if (other.found > log.found) return other.finish(path, 'document', 1);
  }
  return log.finish(path, 'line', lines);
}

/** Parses a whole file, such as the pretty-printed answer of a cloud's command line. */
async function parsedAsWhole(path: string): Promise<Json | undefined> {
  if (statSync(path).size > WHOLE_MAX) return undefined;
  const parts: Buffer[] = [];
  for await (const part of readText(path)) if (Buffer.isBuffer(part)) parts.push(part);
  return parseEvents(Buffer.concat(parts).toString('utf8'));
}
