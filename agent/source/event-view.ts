import type { BootTime } from '../../record/types.ts';

/** Reads fields of events in one buffer by their offset; integers are aligned to their size. */
export interface EventView {
  readonly buffer: Buffer;
  readonly words: Uint32Array;
  u16(at: number): number;
  u32(at: number): number;
  /** exact up to 2^53 */
  u64(at: number): number;
  big(at: number): bigint;
  time(at: number): BootTime;
  /** the places in the buffer where the bytes of a `struct blob` begin and end */
  start(event: number, blob: number): number;
  end(event: number, blob: number): number;
}

/** Makes a view of `buffer`, whose memory begins at a multiple of 8. */
export function createEventView(buffer: Buffer): EventView {
  const words = new Uint32Array(buffer.buffer, buffer.byteOffset, buffer.length >> 2);
  const halves = new Uint16Array(buffer.buffer, buffer.byteOffset, buffer.length >> 1);
  const u16 = (at: number) => halves[at >> 1] ?? 0;
  const u32 = (at: number) => words[at >> 2] ?? 0;
  const start = (event: number, blob: number) => event + u16(event + blob);
  return {
    buffer,
    words,
    u16,
    u32,
    u64: (at) => u32(at + 4) * 0x100000000 + u32(at),
    big: (at) => (BigInt(u32(at + 4)) << 32n) | BigInt(u32(at)),
    time: (at) => bootTime(u32(at), u32(at + 4)),
    start,
    end: (event, blob) => start(event, blob) + u16(event + blob + 2),
  };
}

/** Makes a time of nanoseconds in two 32-bit halves; exact beyond 2^53 as well. */
export function bootTime(low: number, high: number): BootTime {
  let seconds = Math.floor((high * 0x100000000 + low) / 1e9);
  // The quotient may be off by one, which shows in the remainder modulo 2^32.
  let nanos = (low - Math.imul(seconds, 1_000_000_000)) >>> 0;
  if (nanos >= 0x80000000) {
    seconds -= 1;
    nanos = (nanos + 1_000_000_000) >>> 0;
  } else if (nanos >= 1_000_000_000) {
    seconds += 1;
    nanos -= 1_000_000_000;
  }
  return { seconds, nanos };
}
