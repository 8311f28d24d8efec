import { parseKeyPairsIntoRecord } from '@opentelemetry/core';

const NAME = /^[0-9a-z_.-]+$/;
const VALUE = /^[\x20-\x7e]*$/;

/**
 * Parses the headers of OTEL_EXPORTER_OTLP_HEADERS: `name=value,name=value`, percent-encoded like
 * W3C Baggage. Throws an Error for a header that gRPC cannot send.
 */
export function parseHeaderList(text: string): Record<string, string> {
  // OTLPLogExporter reads the variable too, ends a header at a semicolon, and fails on what gRPC
  // cannot send.
  headersOf(Object.entries(parseKeyPairsIntoRecord(text)));
  const pairs = text.split(',').filter((pair) => pair.trim() !== '');
  return headersOf(
    pairs.map((pair) => {
      const [name, value] = cut(pair, '=');
      return [decoded(name), decoded(value)];
    }),
  );
}

/** Parses headers in lines of `name: value`. Throws an Error for a header that gRPC cannot send. */
export function parseHeaderLines(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return headersOf(lines.map((line) => cut(line, ':')));
}

function headersOf(pairs: readonly (readonly [string, string])[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [given, value] of pairs) {
    const name = given.toLowerCase();
    if (!NAME.test(name)) throw new Error(`${JSON.stringify(given)} is not the name of a header`);
    if (name.startsWith('grpc-') || name.endsWith('-bin'))
      throw new Error(`the header ${name} is gRPC’s own`);
    // The value may be a secret.
    if (!VALUE.test(value)) throw new Error(`the header ${name} has a value that is not printable`);
    headers[name] = value;
  }
  return headers;
}

function cut(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  if (at < 0) throw new Error(`a header without "${separator}"`);
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
