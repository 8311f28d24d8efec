import type { Span } from './reading.ts';
import { REDACTED } from './values.ts';

/** Sorts pieces and joins those that overlap. */
export function merged(spans: readonly Span[]): Span[] {
  const all: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from || b.to - a.to)) {
    const last = all.at(-1);
    if (last === undefined || span.from > last.to) all.push(span);
    else if (span.to > last.to) all[all.length - 1] = { from: last.from, to: span.to };
  }
  return all;
}

/** Puts a mark into the place of each piece; they ascend and do not overlap. */
export function replaceSpans(text: string, spans: readonly Span[]): string {
  let clean = '';
  let at = 0;
  for (const { from, to } of spans) {
    clean += text.slice(at, from) + REDACTED;
    at = to;
  }
  return clean + text.slice(at);
}
