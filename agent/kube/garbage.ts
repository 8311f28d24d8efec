const GARBAGE_MAX = 2 << 20;

let garbage = 0;

/**
 * Notes that so many bytes in buffers have become garbage, and collects them in time. V8 by itself
 * lets buffers of 64 MiB pile up, which is half of what the agent may take.
 */
export function discarded(bytes: number): void {
  garbage += bytes;
  if (garbage < GARBAGE_MAX) return;
  garbage = 0;
  // bin/vcml-agent has Node provide it.
  globalThis.gc?.({ type: 'minor' });
}
