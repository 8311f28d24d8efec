import { KEYS } from '../../../record/fields.ts';
import { isSpanId, isTraceId } from '../../../record/trace-ids.ts';
import type { TraceContext } from '../../../record/types.ts';

const FLAGS_MAX = 0xff;

/** Returns the trace that a record's attributes claim; undefined: none, or ids that are not valid. */
export function traceOf(attributes: Readonly<Record<string, unknown>>): TraceContext | undefined {
  const { [KEYS.traceId]: traceId, [KEYS.spanId]: spanId, [KEYS.traceFlags]: given } = attributes;
  if (typeof traceId !== 'string' || typeof spanId !== 'string') return undefined;
  if (!isTraceId(traceId) || !isSpanId(spanId)) return undefined;
  const flags = Number.isInteger(given) ? Number(given) : 0;
  return { traceId, spanId, flags: flags >= 0 && flags <= FLAGS_MAX ? flags : 0 };
}
