import { type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { LogExportResult } from './journal-log-exporter.ts';
import { retryDelayOf } from './retry-info.ts';

/** What became of an export call. */
export type Outcome =
  | {
      readonly kind: 'accepted';
      /** records that the collector refused nevertheless, and what it says about it */
      readonly rejected: number;
      readonly message: string;
    }
  | Failure;

export interface Failure {
  /**
   * transient: passes by itself; tooLarge: fewer records may pass; refused: for good;
   * denied: until somebody changes a configuration or a credential.
   */
  readonly kind: 'transient' | 'tooLarge' | 'refused' | 'denied';
  /** a gRPC code's name */
  readonly code: string;
  readonly details: string;
  /** what the collector asks us to wait, in RetryInfo */
  readonly retryAfterMs?: number;
}

/**
 * What each gRPC code means to an exporter. The OTLP specification says which can be retried; of
 * those that cannot, the ones that speak of the connection and not of the records keep them.
 */
const KINDS: Readonly<Record<number, Failure['kind']>> = {
  [status.CANCELLED]: 'transient',
  [status.UNKNOWN]: 'refused',
  [status.INVALID_ARGUMENT]: 'refused',
  [status.DEADLINE_EXCEEDED]: 'transient',
  [status.NOT_FOUND]: 'denied',
  [status.ALREADY_EXISTS]: 'refused',
  [status.PERMISSION_DENIED]: 'denied',
  [status.RESOURCE_EXHAUSTED]: 'tooLarge',
  [status.FAILED_PRECONDITION]: 'refused',
  [status.ABORTED]: 'transient',
  [status.OUT_OF_RANGE]: 'transient',
  [status.UNIMPLEMENTED]: 'denied',
  [status.INTERNAL]: 'refused',
  [status.UNAVAILABLE]: 'transient',
  [status.DATA_LOSS]: 'transient',
  [status.UNAUTHENTICATED]: 'denied',
};

/** What the result of an export call means. */
export function outcomeOf({ error, partialSuccess }: LogExportResult): Outcome {
  if (error !== undefined) return failureOf(error);
  const { rejectedLogRecords = 0, errorMessage = '' } = partialSuccess ?? {};
  return { kind: 'accepted', rejected: Number(rejectedLogRecords), message: errorMessage };
}

function failureOf(error: unknown): Failure {
  const { code, details, message, metadata } = error as Partial<ServiceError>;
  const retryAfterMs = retryDelayOf(detailsOf(metadata));
  const known = KINDS[code ?? -1];
  return {
    // RESOURCE_EXHAUSTED with RetryInfo is a receiver that is busy, without it one that is overrun.
    kind:
      code === status.RESOURCE_EXHAUSTED && retryAfterMs !== undefined
        ? 'transient'
        : (known ?? 'refused'),
    code: status[code ?? -1] ?? 'UNKNOWN',
    details: details ?? message ?? String(error),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

function detailsOf(metadata: Metadata | undefined): Uint8Array | undefined {
  const [value] = metadata?.get('grpc-status-details-bin') ?? [];
  return typeof value === 'string' ? undefined : value;
}
