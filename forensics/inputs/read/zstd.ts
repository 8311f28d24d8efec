import type { FileHandle } from 'node:fs/promises';
import { constants, createZstdDecompress, type ZstdOptions, zstdDecompressSync } from 'node:zlib';
import { Decompressor } from './decompressor.ts';
import { type Damage, FileWindow } from './file-window.ts';
import { type Frame, findMagic, frameAt } from './zstd-frame.ts';

/**
 * A frame up to this size is decompressed at once, which is faster for a frame a line. Made of blocks of
 * one repeated byte, it may have 2 GiB of text, so that what has more than this is read block by block.
 */
const SMALL_BYTES = 64 << 10;
const SMALL = { maxOutputLength: 4 << 20 };
const CHUNK_BYTES = 256 << 10;
const BLOCKS_AT_ONCE = 8;
/** A frame with no more compressed bytes and text than this is decompressed in one call. */
const WHOLE_BYTES = 2 << 20;
const WHOLE_TEXT = (4 << 20) + (256 << 10);
const WHOLE = { chunkSize: WHOLE_TEXT, maxOutputLength: WHOLE_TEXT };
/** A frame says how much of its text must stay in memory: at most 128 MiB, as for DuckDB and zstd itself. */
const PARAMS = { params: { [constants.ZSTD_d_windowLogMax]: 27 } };

/**
 * Yields the text of every frame of a zstd file (RFC 8878), and a damage in the place of what is
 * missing. It ends at no damage: blocks before it and frames behind it are read.
 */
export async function* readZstd(file: FileHandle): AsyncGenerator<Buffer | Damage> {
  const window = new FileWindow(file);
  const ends = new Set<number>();
  for (let at = 0; ; ) {
    const frame = await frameAt(window, at, ends);
    if (frame === undefined) return;
    // The header of a frame without a block may be another one's content.
    let end = frame.fault !== undefined && frame.blocks.length === 0 ? at + 1 : frame.end;
    for await (const part of textOf(window, frame)) {
      yield part;
      // A frame whose blocks are in order says where the next one begins, whatever is in them.
      if (!Buffer.isBuffer(part) && frame.fault !== undefined) end = Math.min(end, part.at + 1);
    }
    if (frame.fault === undefined) at = end;
    else {
      const next = await findMagic(window, end);
      if (next === undefined) return;
      at = next;
    }
  }
}

/**
 * Yields the text of every frame of a zstd file, and throws at a damage. A part is valid until the
 * next one is asked for. A frame at once needs half the time of its blocks: no other thread is
 * waited for, and its memory is free at once.
 */
export async function* readSoundZstd(file: FileHandle): AsyncGenerator<Buffer> {
  const window = new FileWindow(file);
  for (let at = 0; ; ) {
    const frame = await frameAt(window, at);
    if (frame === undefined) return;
    const { blocks, end, fault } = frame;
    if (fault !== undefined) throw new Error(fault.why);
    if (blocks.length > 0) yield* wholeFrame(window, at, blocks, end);
    at = end;
  }
}

async function* wholeFrame(
  window: FileWindow,
  at: number,
  blocks: readonly number[],
  end: number,
): AsyncGenerator<Buffer> {
  if (end - at <= WHOLE_BYTES) {
    const text = decompressed(await window.bytes(at, end - at), WHOLE);
    if (text !== undefined) {
      yield text;
      // Its reader may have freed it.
      if (!text.buffer.detached) text.buffer.transfer(0);
      return;
    }
  }
  const zstd = new Decompressor(createZstdDecompress({ chunkSize: CHUNK_BYTES, ...PARAMS }));
  try {
    for (let from = at, block = BLOCKS_AT_ONCE - 1; from < end; block += BLOCKS_AT_ONCE) {
      const to = blocks[block] ?? end;
      yield* await zstd.feed(await window.bytes(from, to - from));
      from = to;
    }
  } finally {
    zstd.close();
  }
}

/**
 * Returns the first place at which the headers of a file's frames are wrong. Without such a damage it is a
 * whole zstd file, and only its checksums can still fail.
 */
export async function damageOf(file: FileHandle): Promise<Damage | undefined> {
  const window = new FileWindow(file);
  for (let at = 0; ; ) {
    const frame = await frameAt(window, at);
    if (frame === undefined || frame.fault !== undefined) return frame?.fault;
    at = frame.end;
  }
}

async function* textOf(window: FileWindow, frame: Frame): AsyncGenerator<Buffer | Damage> {
  const { at, end, blocks, fault } = frame;
  if (fault === undefined && end - at <= SMALL_BYTES) {
    const text = decompressed(await window.bytes(at, end - at), SMALL);
    if (text !== undefined) {
      yield text;
      return;
    }
  }
  if (blocks.length > 0) yield* blockByBlock(window, frame);
  else if (fault !== undefined) yield fault;
}

/**
 * Returns undefined for a frame that is damaged, or has more text than is allowed; reading it by block
 * finds the place.
 */
function decompressed(frame: Buffer, sizes: ZstdOptions): Buffer<ArrayBuffer> | undefined {
  try {
    return zstdDecompressSync(frame, { ...sizes, ...PARAMS });
  } catch {
    return undefined;
  }
}

/** Block by block, so that a damage costs nothing that is before it. */
async function* blockByBlock(
  window: FileWindow,
  { at, end, blocks, fault }: Frame,
): AsyncGenerator<Buffer | Damage> {
  const zstd = new Decompressor(createZstdDecompress({ chunkSize: CHUNK_BYTES, ...PARAMS }));
  let from = at;
  try {
    // The header is fed with the first block, and the checksum after the last one.
    for (const to of fault === undefined ? [...blocks, end] : blocks) {
      if (to > from) yield* await zstd.feed(await window.bytes(from, to - from));
      from = to;
    }
    if (fault !== undefined) yield fault;
  } catch (error) {
    const isSum = from === blocks.at(-1);
    const why = isSum ? 'its content differs from its checksum' : (error as Error).message;
    yield { at: isSum ? at : from, why };
  } finally {
    zstd.close();
  }
}
