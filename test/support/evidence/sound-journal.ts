import { zstdCompressSync } from 'node:zlib';
import { type Draft, exec, start, text } from '../../check/craft.ts';
import { Sealer, sealed } from '../checkpoints.ts';

export const EPOCH = '11111111-1111-4111-8111-111111111111';

/** Execs, from one number up to another. */
export const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) =>
    text(exec(10 * (from + n), 100 + from + n, 0, from + n)),
  );
/** A block of execs behind other records. */
export const block = (from: number, to: number, before: readonly Draft[] = []) => ({
  lines: [...before.map(text), ...lines(from, to)],
  isSealed: true,
});

/** Three segments of two blocks each. */
export const BLOCKS = [
  [block(1, 4, [start([1])]), block(4, 6)],
  [block(6, 9), block(9, 11)],
  [block(11, 14), block(14, 16)],
];
/** What follows the last checkpoint. */
export const TAIL = [{ lines: lines(16, 18), isSealed: false }];

/** The texts of its segments. */
export function soundTexts(): Buffer[] {
  return sealed(BLOCKS, new Sealer(EPOCH));
}

/** Compresses a text in two frames. */
export function inFrames(bytes: Buffer): Buffer {
  const half = Math.floor(bytes.length / 2);
  return Buffer.concat(
    [bytes.subarray(0, half), bytes.subarray(half)].map((one) => zstdCompressSync(one)),
  );
}
