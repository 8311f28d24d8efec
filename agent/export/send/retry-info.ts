import { bytes, many, message, number, one, reader, text } from '../../protobuf.ts';

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';

/** google.protobuf.Duration */
interface Duration {
  readonly seconds?: number;
  readonly nanos?: number;
}

const duration = message<Duration>({ 1: one('seconds', number), 2: one('nanos', number) });
const any = message<{ type?: string; value?: Uint8Array }>({
  1: one('type', text),
  2: one('value', bytes),
});
const readStatus = reader<{ details?: readonly { type?: string; value?: Uint8Array }[] }>({
  3: many('details', any),
});
const readRetryInfo = reader<{ retryDelay?: Duration }>({ 1: one('retryDelay', duration) });

/**
 * Returns the wait in milliseconds that the RetryInfo of a google.rpc.Status requests; undefined if
 * it has none, or is damaged.
 */
export function retryDelayOf(status: Uint8Array | undefined): number | undefined {
  if (status === undefined) return undefined;
  try {
    const info = readStatus(status).details?.find(({ type }) => type === RETRY_INFO);
    return info && durationMs(readRetryInfo(info.value ?? new Uint8Array()).retryDelay);
  } catch {
    // A status that cannot be read requests nothing.
    return undefined;
  }
}

/** Returns the duration in milliseconds; 0 if it is absent or negative. */
function durationMs({ seconds = 0, nanos = 0 }: Duration = {}): number {
  return seconds < 0 || nanos < 0 ? 0 : seconds * 1000 + nanos / 1e6;
}
