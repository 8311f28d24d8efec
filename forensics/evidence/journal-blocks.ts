import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { leafHash, NO_LINE } from '../../record/tree/hashes.ts';
import { Leaves } from '../../record/tree/leaves.ts';
import { isArchive } from '../archive/address.ts';
import type { CheckpointFacts, SealedBlock } from '../audit/checkpoints/segment-facts.ts';
import { SegmentReader } from '../audit/checkpoints/segment-reader.ts';
import { bytesOf } from '../audit/checkpoints/tree.ts';
import { ForensicsError } from '../errors.ts';
import { compressedName, findFiles, problemsText } from '../inputs/find.ts';
import { SEGMENT } from '../inputs/names.ts';
import { readSoundText } from '../inputs/read/text.ts';
import { isStore, withoutPassword } from '../store/address.ts';

/** A block of a journal, and its place. Positions are in the uncompressed text of its segment. */
export interface JournalBlock {
  /** the place of its segment among the segments of the journal */
  readonly segment: number;
  /** where the block begins */
  readonly from: number;
  /** where it ends, and the line of its checkpoint begins */
  readonly to: number;
  /** behind the line of its checkpoint */
  readonly end: number;
  /** over its chunks */
  readonly root: Buffer;
  readonly checkpoint: CheckpointFacts;
  /** the SHA-256 of the line of its checkpoint */
  readonly line: Buffer;
  /** the same of the checkpoint before it; undefined: it is not known */
  readonly previousLine: Buffer | undefined;
  /** Whether it is as its checkpoint says. */
  readonly isSound: boolean;
}

/** The segments of one journal, and the blocks in them. */
export interface JournalBlocks {
  /** in the order of the journal */
  readonly files: readonly string[];
  readonly blocks: readonly JournalBlock[];
  /** by segment, the number of bytes at its end that no checkpoint covers */
  readonly tails: readonly number[];
}

/**
 * Reads a journal for its blocks: its folder, or segments of it. `onPart` receives the text of each
 * segment in parts. Throws unless it is one journal, which can be read.
 */
export async function readBlocks(
  inputs: readonly string[],
  onPart: (part: Buffer, segment: number) => void = () => {},
): Promise<JournalBlocks> {
  const files = segmentsOf(inputs);
  const blocks: JournalBlock[] = [];
  const tails: number[] = [];
  for (const [segment, file] of files.entries()) {
    const reader = new SegmentReader();
    for await (const part of textOf(file)) {
      reader.add(part);
      onPart(part, segment);
    }
    const facts = reader.end();
    let before: SealedBlock | undefined;
    for (const block of facts.blocks) {
      blocks.push(blockOf(block, before, segment));
      before = block;
    }
    tails.push(facts.tail.bytes);
  }
  return { files, blocks, tails };
}

function blockOf(
  { checkpoint, from, bytes, root, lineBytes, lineHash }: SealedBlock,
  before: SealedBlock | undefined,
  segment: number,
): JournalBlock {
  const known = before?.lineHash ?? checkpoint.continued?.previousLine;
  const given = known === undefined ? undefined : bytesOf(known);
  const previousLine = checkpoint.reason === undefined ? given : NO_LINE;
  const leaf = previousLine && leafHash(previousLine, bytesOf(root));
  const isSound = checkpoint.bytes === bytes && leaf?.equals(bytesOf(checkpoint.leaf)) === true;
  const to = from + bytes;
  return {
    segment,
    from,
    to,
    end: to + lineBytes,
    root: bytesOf(root),
    checkpoint,
    line: bytesOf(lineHash),
    previousLine,
    isSound,
  };
}

/** Returns a part of the text of a segment. */
export async function readPart(file: string, from: number, to: number): Promise<Buffer> {
  // An open segment may have been compressed meanwhile.
  const name = existsSync(file) ? file : compressedName(file);
  if (!name.endsWith('.zst')) {
    const handle = await open(name);
    try {
      const part = Buffer.alloc(to - from);
      const { bytesRead } = await handle.read(part, 0, part.length, from);
      return part.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  }
  const parts: Buffer[] = [];
  let at = 0;
  for await (const text of readSoundText(name)) {
    if (at + text.length > from && at < to)
      parts.push(Buffer.from(text.subarray(Math.max(0, from - at), to - at)));
    at += text.length;
    if (at >= to) break;
  }
  return Buffer.concat(parts);
}

/**
 * Returns the leaves of a block's epoch, from its segment on and as far as its checkpoints follow each
 * other, and the blocks from this one on that they are of.
 */
export function treeFrom(
  { blocks }: JournalBlocks,
  { checkpoint: { epoch, size }, segment }: JournalBlock,
): { readonly leaves: Leaves; readonly blocks: readonly JournalBlock[] } {
  const ofEpoch = blocks.filter((one) => one.checkpoint.epoch === epoch && one.segment >= segment);
  const first = ofEpoch[0]?.checkpoint;
  const leaves = new Leaves((first?.size ?? 1) - 1, first?.continued?.frontier.map(bytesOf));
  const after: JournalBlock[] = [];
  for (const one of ofEpoch) {
    if (one.checkpoint.size !== leaves.size + 1) break;
    leaves.add(bytesOf(one.checkpoint.leaf));
    if (one.checkpoint.size >= size) after.push(one);
  }
  return { leaves, blocks: after };
}

function segmentsOf(inputs: readonly string[]): string[] {
  const remote = inputs.find((input) => isStore(input) || isArchive(input));
  if (remote !== undefined) throw noSegments(withoutPassword(remote));
  const { found, problems } = findFiles(inputs);
  if (problems.length > 0) throw new ForensicsError('unreadable', problemsText(problems));
  const segments = found.flatMap(({ real }) =>
    real !== undefined && SEGMENT.test(basename(real)) ? [real] : [],
  );
  const journals = new Set(
    found.filter(({ real }) => segments.includes(real ?? '')).map(({ journal }) => journal),
  );
  if (journals.size === 1) return segments;
  if (journals.size === 0) throw noSegments(inputs.join(' '));
  throw new ForensicsError(
    'usage',
    `a proof is of one journal, and these are ${journals.size}: name the folder of one of them`,
  );
}

function noSegments(input: string): ForensicsError {
  return new ForensicsError(
    'usage',
    `${input}: only the segments of a journal can be proved, because they have it byte for byte: name the folder of a journal`,
  );
}

async function* textOf(file: string): AsyncGenerator<Buffer> {
  try {
    yield* readSoundText(file);
  } catch (cause) {
    const why = `${file}: ${(cause as Error).message}`;
    throw new ForensicsError('unreadable', why, { cause });
  }
}
