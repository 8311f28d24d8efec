import { createHash } from 'node:crypto';

/** What a journal's checkpoints say, and what does not fit. */
export interface Judged {
  readonly problems: readonly string[];
  /** every checkpoint, in order */
  readonly checkpoints: readonly Attributes[];
  /** the bytes behind the last checkpoint of the last segment */
  readonly tail: number;
}

type Attributes = Readonly<Record<string, unknown>>;

const CHUNK_BYTES = 16_384;

/**
 * Verifies the checkpoints of a journal by the words of the format, without the code that makes them.
 * `segments` are the texts of its segments, in order; the first one may have others before it.
 */
export function judgeCheckpoints(segments: readonly Buffer[]): Judged {
  const problems: string[] = [];
  const checkpoints: Attributes[] = [];
  let leaves: Buffer[] | undefined;
  let epoch: unknown;
  let previous: Buffer | undefined;
  let tail = 0;
  for (const [at, text] of segments.entries()) {
    let isFirst = true;
    let from = 0;
    for (const [begin, end] of checkpointLines(text)) {
      const line = text.subarray(begin, end);
      const { attributes } = JSON.parse(line.toString());
      const say = (what: string) =>
        problems.push(
          `segment ${at + 1}, checkpoint ${attributes['vcml.checkpoint.size']}: ${what}`,
        );
      const of = (name: string) => attributes[`vcml.checkpoint.${name}`];
      const block = text.subarray(from, begin);
      from = end;
      checkpoints.push(attributes);
      if (of('bytes') !== block.length) say(`a block of ${block.length} bytes`);
      const isBegin = of('reason') !== undefined;
      if (isBegin) [leaves, epoch, previous] = [[], of('epoch'), Buffer.alloc(32)];
      if (of('epoch') !== epoch && leaves !== undefined) say('another epoch without a reason');
      if (isFirst !== (of('previous_line') !== undefined) && !isBegin) say('previous_line');
      if (isFirst !== (of('frontier') !== undefined) && !isBegin) say('frontier');
      if (isFirst && !isBegin) {
        const named = Buffer.from(of('previous_line') ?? '', 'base64');
        const isUnverified = of('unverified_segments') !== undefined;
        if (previous !== undefined && !isUnverified && !named.equals(previous)) say('chain');
        previous = named;
        epoch ??= of('epoch');
      }
      isFirst = false;
      const leaf = sha256(Buffer.of(0), previous ?? Buffer.alloc(0), treeHash(chunksOf(block)));
      if (leaf.toString('base64') !== of('leaf')) say('leaf');
      previous = sha256(line);
      if (leaves === undefined) continue; // its front is gone
      const frontier = of('frontier');
      if (frontier !== undefined && frontier.join() !== frontierOf(leaves).join()) say('subtrees');
      leaves.push(leaf);
      if (of('size') !== leaves.length) say(`the leaf ${leaves.length}`);
      if (of('root') !== treeHash(leaves).toString('base64')) say('root');
    }
    tail = text.length - from;
    const isOpen = at === segments.length - 1;
    if (!isOpen && tail > 0) problems.push(`segment ${at + 1} ends without a checkpoint`);
  }
  return { problems, checkpoints, tail };
}

function* checkpointLines(text: Buffer): Generator<[begin: number, end: number]> {
  for (let begin = 0; begin < text.length; ) {
    const end = text.indexOf('\n', begin) + 1;
    if (end === 0) return;
    const at = text.indexOf('"action":"journal.checkpoint"', begin);
    if (at < 0) return;
    if (at < end) yield [begin, end];
    begin = at < end ? end : text.lastIndexOf('\n', at) + 1;
  }
}

function chunksOf(block: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  for (let from = 0; from < block.length; ) {
    const feed = block.indexOf('\n', from + CHUNK_BYTES - 1);
    const to = feed < 0 ? block.length : feed + 1;
    chunks.push(sha256(Buffer.of(0), block.subarray(from, to)));
    from = to;
  }
  return chunks;
}

/** RFC 6962, section 2.1. */
function treeHash(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return leaves[0] as Buffer;
  const half = halfOf(leaves.length);
  return sha256(Buffer.of(1), treeHash(leaves.slice(0, half)), treeHash(leaves.slice(half)));
}

function frontierOf(leaves: readonly Buffer[]): string[] {
  const roots: string[] = [];
  for (let from = 0; from < leaves.length; ) {
    const size = halfOf(leaves.length - from + 1);
    roots.push(treeHash(leaves.slice(from, from + size)).toString('base64'));
    from += size;
  }
  return roots;
}

function halfOf(size: number): number {
  let half = 1;
  while (half * 2 < size) half *= 2;
  return half;
}

function sha256(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
