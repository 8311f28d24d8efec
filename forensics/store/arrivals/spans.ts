import { bootKey } from './hooks.ts';
import { countOf, type Parts } from './place.ts';
import type { UnknownLoss } from './reports.ts';

/** A time of a node; `to` undefined: until now. */
interface Span {
  readonly node: string;
  readonly from: bigint;
  readonly to: bigint | undefined;
}

/**
 * Returns when losses of an unknown number may have been. What was lost at the end of a boot may be of any
 * time from its last record to the report; `ends` has that of each boot, by bootKey().
 */
export function lossSpans(
  losses: readonly UnknownLoss[],
  ends: ReadonlyMap<string, bigint>,
): readonly Span[] {
  return losses.map(({ node, at, boot }) => {
    const times = [at, ends.get(bootKey({ node, boot })) ?? at];
    const [from = 0n, to = 0n] = times.sort((one, other) => (one < other ? -1 : 1));
    return { node, from, to };
  });
}

/** Returns, in their order, which of these times reach into parts of a time, by the number of the part and the name. */
export function spansByPart(
  spans: readonly Span[],
  parts: Parts,
): ReadonlyMap<string, readonly Span[]> {
  const { since, until, step = 0n } = parts;
  const found = new Map<string, Span[]>();
  for (const span of spans) {
    const { node, from, to } = span;
    for (let part = 0; part < countOf(parts); part += 1) {
      const begin = since === undefined ? undefined : since + BigInt(part) * step;
      const end = step === 0n || begin === undefined ? until : begin + step;
      if (begin !== undefined && to !== undefined && to < begin) break;
      if (end !== undefined && from >= end) continue;
      const key = `${part} ${node}`;
      if (!found.get(key)?.push(span)) found.set(key, [span]);
    }
  }
  return found;
}
