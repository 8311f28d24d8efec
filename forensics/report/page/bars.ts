import { BARS, type Bar, type Span } from './timeline.ts';

/** Counts the kept records of a span, which has both its times; `holes` has the kind of each. */
export function countBars(
  times: Float64Array,
  holes: readonly (string | undefined)[],
  kept: Uint8Array,
  { from, to }: Span,
): readonly Bar[] {
  const bars = Array.from({ length: BARS }, () => ({ records: 0, gaps: 0, losses: 0 }));
  for (const [record, time] of times.entries()) {
    if (kept[record] !== 1 || !(time >= from && time <= to)) continue;
    const bar = bars[Math.min(BARS - 1, Math.floor(((time - from) / (to - from || 1)) * BARS))];
    if (bar === undefined) continue;
    bar.records++;
    if (holes[record]?.startsWith('loss:')) bar.losses++;
    else if (holes[record]?.startsWith('gap:')) bar.gaps++;
  }
  return bars;
}
