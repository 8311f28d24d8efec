import { isSpanId, isTraceId } from '../../record/trace-ids.ts';
import type { TraceContext } from '../../record/types.ts';

/** version, trace, span, flags; later versions may have more behind another dash */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/s;
const SAMPLED = 1;

/**
 * Parses a `traceparent` (W3C Trace Context, 3.2); undefined: it is not valid. Of a later version, only
 * what version 00 has is read, as the specification demands.
 */
export function parseTraceparent(text: string): TraceContext | undefined {
  const [, version, traceId = '', spanId = '', digits = '', more] = TRACEPARENT.exec(text) ?? [];
  if (version === undefined || (version === '00' && more !== undefined)) return undefined;
  if (!isTraceId(traceId) || !isSpanId(spanId)) return undefined;
  const flags = Number.parseInt(digits, 16);
  return { traceId, spanId, flags: version === '00' ? flags : flags & SAMPLED };
}
