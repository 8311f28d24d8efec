import { statSync } from 'node:fs';
import type { Json } from '../../record/exact-json.ts';
import type { StoredRecord } from '../../record/read.ts';
import { ForensicsError } from '../errors.ts';
import { readLines } from '../inputs/read/lines.ts';
import { copyStream, isStream } from '../inputs/read/stream.ts';
import { readText } from '../inputs/read/text.ts';
import { Temporary } from '../inputs/temporary.ts';
import { ownRemarks } from '../output/authority.ts';
import { isStore } from '../store/address.ts';
import type { ConnectionOptions } from '../store/connect.ts';
import { parseEvents } from './audit-events.ts';
import type { ExecRequest } from './exec-request.ts';
import { type Found, Requests } from './requests.ts';
import { RequestsById, requestsOf, type Verdict } from './verdict.ts';
import { verdictInWords } from './verdict-words.ts';

/** Files up to this size are parsed as a whole where they are not lines of JSON. */
const WHOLE_MAX = 256 << 20;

/** What is known about who permitted records, with an audit log or without one. */
export interface AuditLog {
  /** the requests that were not refused, each once */
  readonly requests: readonly ExecRequest[];
  /** A sentence about what was found in the log; undefined: no log is given. */
  readonly summary: string | undefined;
  /** Judges the request that a record claims to come from; undefined: it claims none, or no log is given. */
  verdictOn(record: StoredRecord): Verdict | undefined;
  /**
   * Says what permitted an entry, or who may have asked for it: nothing of other records. Each text begins
   * with how far it is known.
   */
  remarksOn(record: StoredRecord): string[];
}

/** Reads an audit log, as far as it may be behind these records. */
export type AuditLogFor = (
  records: readonly StoredRecord[],
  signal?: AbortSignal,
) => Promise<AuditLog>;

/** Returns how to read an audit log: a file is read once, and a table is asked about records each time. */
export function auditLogAt(path: string | undefined, connection: ConnectionOptions): AuditLogFor {
  if (path !== undefined && isStore(path))
    return (records, signal) =>
      readAuditLog(path, records, { ...connection, ...(signal && { signal }) });
  let log: Promise<AuditLog> | undefined;
  return () => {
    log ??= readAuditLog(path, [], connection);
    return log;
  };
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
  if (path === undefined) return NO_LOG;
  // Comparing needs the rules of redaction, which take a tenth of the time in which a command starts.
  const { candidatesOf } = await import('./candidates.ts');
  const { compareCommand } = await import('./comparison.ts');
  const found = isStore(path) ? await inTable(path, records, connection) : await foundIn(path);
  const { requests, refused, summary } = found;
  const byId = new RequestsById([...requests, ...refused], compareCommand);
  const withoutIds = requests.filter(({ ids }) => ids.length === 0);
  return {
    requests,
    summary,
    verdictOn(record) {
      const claim = byId.claimOf(record);
      return claim && byId.judge(record, claim);
    },
    remarksOn(record) {
      const claim = byId.claimOf(record);
      if (claim === undefined) return [...ownRemarks(record), ...candidatesOf(record, requests)];
      const verdict = byId.judge(record, claim);
      const own = verdictInWords(record, claim, verdict);
      if (verdict.kind === 'confirmed') return [own];
      // A claim that may be false hides nobody. If no request has its id, it is not one with another id.
      const others = verdict.kind === 'missing' ? withoutIds : requests;
      const named = new Set(requestsOf(verdict));
      const candidates = candidatesOf(
        record,
        others.filter((request) => !named.has(request)),
      );
      return [own, ...candidates];
    },
  };
}

const NO_LOG: AuditLog = {
  requests: [],
  summary: undefined,
  verdictOn: () => undefined,
  remarksOn: ownRemarks,
};

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
