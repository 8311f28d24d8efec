import { counted } from '../../../record/describe.ts';
import { rfc3339Of } from '../../../record/time.ts';
import type { NumberRange } from '../../../record/types.ts';
import type { CheckpointFacts, Stretch } from './segment-facts.ts';

/** Names a stretch of a segment: its bytes, its lines, and their times. */
export function stretchInWords({ from, bytes, first, last }: Stretch): string {
  const times = first === undefined ? '' : `, from ${timeInWords(first)} to ${timeInWords(last)}`;
  return `bytes ${from} to ${from + bytes}${times}`;
}

/** Names a checkpoint by its place in the tree. */
export function checkpointInWords({
  checkpoint,
}: {
  readonly checkpoint: Pick<CheckpointFacts, 'size' | 'epoch' | 'time'>;
}): string {
  return `checkpoint ${checkpoint.size} of the epoch ${checkpoint.epoch} (${timeInWords(checkpoint.time)})`;
}

/** A time in UTC, without the part of a second. */
export function timeInWords(time: string | undefined): string {
  const text = time === undefined ? undefined : rfc3339Of(BigInt(time));
  return text?.replace(/\.\d+Z$/, 'Z') ?? 'an unknown time';
}

/** A length of time, rounded up to seconds. */
export function durationInWords(from: string, to: string): string {
  const ns = BigInt(to) - BigInt(from);
  const seconds = ns <= 0n ? 0n : (ns + 999_999_999n) / 1_000_000_000n;
  if (seconds < 120n) return `${seconds} s`;
  const minutes = seconds / 60n;
  return minutes < 120n ? `${minutes} min` : `${minutes / 60n} h`;
}

/** Names numbers of segments that are missing. */
export function segmentsInWords(ranges: readonly NumberRange[]): string {
  const [first, last] = [ranges[0]?.first, ranges.at(-1)?.last];
  const count = ranges.reduce((sum, range) => sum + range.last - range.first + 1, 0);
  if (count === 1) return `segment ${first} is missing`;
  return `${counted(count, 'segment')} between ${first} and ${last} are missing`;
}
