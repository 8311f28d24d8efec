import { status } from '@grpc/grpc-js';
import type { ExportResponse } from '@opentelemetry/otlp-exporter-base';
import { REFUSED } from '../../../support/scripted/script.ts';

/** What a collector does with a request: whether it keeps the records, and what it answers. */
export interface Reception {
  readonly takes: boolean;
  readonly answer: ExportResponse;
}

/**
 * Decides about the n-th request: some fail before the collector has the records, some after it, and
 * marked records are refused for good.
 */
export function answerTo(request: Uint8Array, call: number): Reception {
  if (Buffer.from(request).includes(REFUSED)) return refused(false, status.INVALID_ARGUMENT);
  if (call % 7 === 2) return refused(false, status.UNAVAILABLE);
  if (call % 7 === 5) return refused(true, status.DEADLINE_EXCEEDED);
  return { takes: true, answer: { status: 'success', data: Buffer.alloc(0) } };
}

function refused(takes: boolean, code: status): Reception {
  const details = `scripted: ${status[code]}`;
  const error = Object.assign(new Error(details), { code, details });
  return { takes, answer: { status: 'failure', error } };
}
