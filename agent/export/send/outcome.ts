import { type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { LogExportResult } from './journal-log-exporter.ts';
import { retryDelayOf } from './retry-info.ts';

/** The outcome of an export call. */
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
   * transient: passes by itself; tooLarge: fewer records may be accepted; refused: for good;
   * denied: until a configuration or a credential is changed.
   */
  readonly kind: 'transient' | 'tooLarge' | 'refused' | 'denied';
  /** a gRPC code's name */
  readonly code: string;
  readonly details: string;
  /** the wait that the collector requests in RetryInfo */
  readonly retryAfterMs?: number;
}

/**
 * What each gRPC code means. The OTLP specification says which codes can be retried. Among the
 * others, those that concern the connection and not the records keep the records, too.
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

/** Returns what the result of an export call means. */
export function outcomeOf({ error, partialSuccess }: LogExportResult): Outcome {
  if (error !== undefined) return failureOf(error);
  const { rejectedLogRecords = 0, errorMessage = '' } = partialSuccess ?? {};
  return { kind: 'accepted', rejected: Number(rejectedLogRecords), message: errorMessage };
}

/** Returns what the error of a call means. */
export function failureOf(error: unknown): Failure {
  const { code, details, message, metadata } = error as Partial<ServiceError>;
  const retryAfterMs = retryDelayOf(detailsOf(metadata));
  const known = KINDS[code ?? -1];
  return {
    // With RetryInfo, RESOURCE_EXHAUSTED means a busy receiver; without it, a request that is too
    // large.
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
