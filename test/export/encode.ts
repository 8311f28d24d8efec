import { LogRecordEncoder } from '../../agent/export/encode/log-record-encoder.ts';
import { RequestBuilder } from '../../agent/export/encode/request-builder.ts';

/** The version that scopes name. */
export const VERSION = '1.2.3';

/** Holds no records yet. */
export function newRequests(): RequestBuilder {
  return new RequestBuilder(VERSION, new LogRecordEncoder());
}

/** Adds the records of lines. */
export function addLines(requests: RequestBuilder, lines: readonly string[]): void {
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
export function requestOf(requests: RequestBuilder, lines: readonly string[]): Uint8Array {
  requests.clear();
  addLines(requests, lines);
  return requests.request(0, requests.count);
}
