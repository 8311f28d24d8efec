import type { Damage, FileWindow } from './file-window.ts';

const MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const SKIPPABLE = 0x184d2a50;
const MAGIC_BYTES = 4;
/** The magic, the descriptor, the window, the dictionary's id and the content's size. */
const HEADER_MAX = 18;
const BLOCK_HEADER = 3;
const BLOCK_MAX = 128 << 10;
const CHECKSUM = 4;
const RLE = 1;
/** How many offsets of blocks are remembered. */
const ENDS_MAX = 1 << 20;
const RESERVED = 3;

/** A frame of a zstd file, by offsets in the file. */
export interface Frame {
  readonly at: number;
  /** the offset behind it; with a fault, behind what is known of it */
  readonly end: number;
  /** the offset behind each block; none for a frame that carries no text */
  readonly blocks: readonly number[];
  /** where it ends too early, or is no frame */
  readonly fault: Damage | undefined;
}

/** Returns whether these are the first bytes of a zstd file. */
export function isZstd(head: Buffer): boolean {
  if (head.length < MAGIC_BYTES) return false;
  return head.subarray(0, MAGIC_BYTES).equals(MAGIC) || isSkippable(head);
}

/**
 * Reads the headers of the frame at an offset; undefined: the file ends there. `ends` has the offsets of
 * blocks from which the file is known to end within a frame: hostile bytes can be such blocks for
 * thousands of frames.
 */
export async function frameAt(
  window: FileWindow,
  at: number,
  ends = new Set<number>(),
): Promise<Frame | undefined> {
  const head = await window.bytes(at, HEADER_MAX);
  if (head.length === 0) return undefined;
  const faulty = (end: number, blocks: readonly number[], why: string): Frame => ({
    at,
    end,
    blocks,
    fault: { at: end, why },
  });
  if (!isZstd(head)) return faulty(at, [], 'no zstd frame begins here');
  if (isSkippable(head)) {
    if (head.length < 8) return faulty(at, [], ENDS);
    const end = at + 8 + head.readUInt32LE(4);
    const last = await window.bytes(end - 1, 1);
    return last.length === 0 ? faulty(at, [], ENDS) : { at, end, blocks: [], fault: undefined };
  }
  const { size, hasChecksum } = headerOf(head);
  if (size === undefined || head.length < size) return faulty(at, [], ENDS);
  const blocks: number[] = [];
  const cut = (block: number): Frame => {
    if (ends.size > ENDS_MAX) ends.clear();
    for (const one of [at + size, ...blocks]) ends.add(one);
    return faulty(block, blocks, ENDS);
  };
  for (let block = at + size; ; ) {
    if (ends.has(block)) return cut(block);
    let bytes = window.bytes(block, BLOCK_HEADER);
    if (bytes instanceof Promise) bytes = await bytes;
    if (bytes.length < BLOCK_HEADER) return cut(block);
    const header = bytes.readUIntLE(0, BLOCK_HEADER);
    const type = (header >> 1) & 3;
    const stored = header >>> 3;
    if (type === RESERVED || stored > BLOCK_MAX)
      return faulty(block, blocks, 'the header of a block is damaged');
    const end = block + BLOCK_HEADER + (type === RLE ? 1 : stored);
    let last = window.bytes(end - 1, 1);
    if (last instanceof Promise) last = await last;
    if (last.length === 0) return cut(block);
    blocks.push(end);
    block = end;
    if ((header & 1) === 0) continue;
    if (!hasChecksum) return { at, end, blocks, fault: undefined };
    const sum = await window.bytes(end, CHECKSUM);
    if (sum.length < CHECKSUM) return faulty(end, blocks, ENDS);
    return { at, end: end + CHECKSUM, blocks, fault: undefined };
  }
}

const ENDS = 'the file ends within a frame';

/** Returns the offset of the next frame's magic number. */
export async function findMagic(window: FileWindow, from: number): Promise<number | undefined> {
  for (let at = from; ; ) {
    const bytes = await window.bytes(at, BLOCK_MAX);
    const found = bytes.indexOf(MAGIC);
    if (found >= 0) return at + found;
    if (bytes.length < BLOCK_MAX) return undefined;
    at += bytes.length - MAGIC_BYTES + 1;
  }
}

function isSkippable(head: Buffer): boolean {
  return (head.readUInt32LE(0) & 0xfffffff0) >>> 0 === SKIPPABLE;
}

function headerOf(head: Buffer): { size: number | undefined; hasChecksum: boolean } {
  const descriptor = head[MAGIC_BYTES];
  if (descriptor === undefined) return { size: undefined, hasChecksum: false };
  const isSingle = ((descriptor >> 5) & 1) === 1;
  const contentFlag = descriptor >> 6;
  const content = contentFlag === 0 ? Number(isSingle) : 1 << contentFlag;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const size = MAGIC_BYTES + 1 + Number(!isSingle) + dictionary + content;
  return { size, hasChecksum: ((descriptor >> 2) & 1) === 1 };
}
