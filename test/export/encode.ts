import { EncodedRecords } from '../../agent/export/encode/encoded-records.ts';
import type { JournalLogRecord } from '../../agent/export/encode/journal-log-record.ts';
import { JournalLogsSerializer } from '../../agent/export/encode/journal-logs-serializer.ts';
import { LogRecordEncoder } from '../../agent/export/encode/log-record-encoder.ts';
import { createScope } from '../../agent/export/encode/scope.ts';

/** The version that scopes name. */
export const VERSION = '1.2.3';

/** Records that are encoded together, and the requests of them. */
export class Requests {
  readonly records: JournalLogRecord[] = [];
  readonly #encoded = new EncodedRecords(createScope(VERSION), new LogRecordEncoder());
  readonly #serializer = new JournalLogsSerializer();

  get count(): number {
    return this.records.length;
  }

  clear(): void {
    this.#encoded.clear();
    this.records.length = 0;
  }

  /** Adds the record of a line; throws a SyntaxError if the line is not a record. */
  add(bytes: Buffer, from: number, to: number): void {
    this.records.push(this.#encoded.add(bytes, from, to));
  }

  /** The request for records `first` to below `end`. */
  request(first: number, end: number): Uint8Array {
    return this.#serializer.serializeRequest(this.records.slice(first, end));
  }
}

/** Holds no records yet. */
export function newRequests(): Requests {
  return new Requests();
}

/** Adds the records of lines. */
export function addLines(requests: Requests, lines: readonly string[]): void {
  // As in the journal, with others before and behind them.
  const bytes = Buffer.from(`x\n${lines.join('\n')}\n{"id":"`);
  let from = 2;
  for (const _ of lines) {
    const to = bytes.indexOf('\n', from);
    requests.add(bytes, from, to);
    from = to + 1;
  }
}

/** The request for the records of these lines alone. */
export function requestOf(requests: Requests, lines: readonly string[]): Uint8Array {
  requests.clear();
  addLines(requests, lines);
  return requests.request(0, requests.count);
}
