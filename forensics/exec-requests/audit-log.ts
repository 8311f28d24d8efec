import { createReadStream, statSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { counted } from '../../record/describe.ts';
import type { Json } from '../../record/exact-json.ts';
import { ForensicsError } from '../errors.ts';
import { readLines } from '../inputs/lines.ts';
import { eventsIn, parseEvents } from './audit-events.ts';
import { type ExecRequest, execRequestOf } from './exec-request.ts';

/** Files up to this size are parsed as a whole where they are not lines of JSON. */
const WHOLE_MAX = 256 << 20;

/** The contents of an audit log. */
export interface AuditLog {
  /** the requests that were not refused, each once */
  readonly requests: readonly ExecRequest[];
  /** A sentence about what was found in the log; undefined: no log is given. */
  readonly summary: string | undefined;
}

/** Reads the `pods/exec` requests in an audit log. Without a path there are none. */
export async function readAuditLog(path: string | undefined): Promise<AuditLog> {
  if (path === undefined) return { requests: [], summary: undefined };
  if (statSync(path, { throwIfNoEntry: false }) === undefined)
    throw new ForensicsError('unreadable', `${path}: no such file`);
  const log = new Requests();
  let lines = 0;
  let isInLines = true;
  for await (const line of linesOf(path)) {
    lines += 1;
    const value = parseEvents(line);
    // The first line of a JSON text that has several is not JSON by itself.
    if (lines === 1) isInLines = value !== undefined;
    log.take(value);
  }
  const whole = isInLines ? undefined : await parsedAsWhole(path);
  if (whole !== undefined) {
    const other = new Requests();
    other.take(whole);
    if (other.found > log.found) return other.finish(path, 'document', 1);
  }
  return log.finish(path, 'line', lines);
}

/** Collects requests and counts what is no event. */
class Requests {
  found = 0;
  notUnderstood = 0;
  readonly #requests = new Map<string | number, ExecRequest>();

  /** Takes the JSON of a line; undefined: it is not JSON. */
  take(value: Json | undefined): void {
    let events = 0;
    for (const event of eventsIn(value)) {
      events += 1;
      const request = execRequestOf(event);
      if (request === undefined) continue;
      this.found += 1;
      const key = request.id ?? this.found;
      const known = this.#requests.get(key);
      if (known === undefined || known.stage <= request.stage) this.#requests.set(key, request);
    }
    if (events === 0) this.notUnderstood += 1;
  }

  finish(path: string, unit: string, count: number): AuditLog {
    const all = [...this.#requests.values()];
    const requests = all.filter(({ isRefused }) => !isRefused);
    const refused = all.length - requests.length;
    const summary = [
      `${path}: ${counted(all.length, 'pods/exec request')} in ${counted(count, unit)}`,
      ...(refused > 0 ? [`${refused} of them refused`] : []),
      ...(this.notUnderstood > 0
        ? [`${counted(this.notUnderstood, unit)} without an audit event that is understood`]
        : []),
    ];
    return { requests, summary: summary.join(', ') };
  }
}

async function* linesOf(path: string): AsyncGenerator<string> {
  if (!path.endsWith('.gz')) for await (const line of readLines(path)) yield line.text;
  else for (const line of (await gunzipped(path)).split('\n')) if (line.trim() !== '') yield line;
}

/** Parses a whole file, such as the pretty-printed answer of a cloud's command line. */
async function parsedAsWhole(path: string): Promise<Json | undefined> {
  if (statSync(path).size > WHOLE_MAX) return undefined;
  return parseEvents(await (path.endsWith('.gz') ? gunzipped(path) : text(createReadStream(path))));
}

async function gunzipped(path: string): Promise<string> {
  try {
    return await text(createReadStream(path).pipe(createGunzip()));
  } catch (cause) {
    throw new ForensicsError('unreadable', `${path}: not a whole gzip file`, { cause });
  }
}
