import { chunkEnd } from '../../record/tree/block.ts';
import { CHUNK_BYTES, chunkHash, nodeHash } from '../../record/tree/hashes.ts';

const LINE_FEED = 0x0a;

/** Cuts a block into its chunks. */
export function chunksOf(block: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  for (let from = 0; from < block.length; ) {
    const to = chunkEnd(block, from);
    chunks.push(block.subarray(from, to));
    from = to;
  }
  return chunks;
}

/** A hash beside the way from a chunk up to the root of its block. */
export interface Sibling {
  readonly side: 'left' | 'right';
  readonly hash: Buffer;
}

/** Returns what is beside the way from a chunk up to the root over the chunks of its block. */
export function pathOf(chunks: readonly Buffer[], index: number): Sibling[] {
  const path: Sibling[] = [];
  let [nodes, at] = [chunks.map(chunkHash), index];
  while (nodes.length > 1) {
    const hash = nodes[at ^ 1];
    if (hash !== undefined) path.push({ side: at % 2 === 1 ? 'left' : 'right', hash });
    // One without a sibling stays as it is on the next level, as in RFC 6962.
    nodes = nodes.flatMap((node, place) => {
      const right = nodes[place + 1];
      if (place % 2 === 1) return [];
      return [right === undefined ? node : nodeHash(node, right)];
    });
    at >>= 1;
  }
  return path;
}

/** Returns the root of a block from one of its chunks. */
export function rootAbove(chunk: Buffer, path: readonly Sibling[]): Buffer {
  return path.reduce(
    (node, { side, hash }) => (side === 'left' ? nodeHash(hash, node) : nodeHash(node, hash)),
    chunkHash(chunk),
  );
}

/** Whether these bytes can be a chunk of a block; only the last one may be short. */
export function isChunk(bytes: Buffer, isLast: boolean): boolean {
  if (bytes.length === 0 || bytes.at(-1) !== LINE_FEED) return false;
  return chunksOf(bytes).length === 1 && (isLast || bytes.length >= CHUNK_BYTES);
}

/** Yields the lines of a text, each with its line feed. */
export function* linesOf(text: Buffer): Generator<Buffer> {
  for (let from = 0; from < text.length; ) {
    const feed = text.indexOf(LINE_FEED, from);
    const to = feed < 0 ? text.length : feed + 1;
    yield text.subarray(from, to);
    from = to;
  }
}
