import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { inflatedChunks, plainChunks } from './chunks.ts';
import { listSegments, type Position, type Segment, segmentFile } from './segment.ts';
import { type JournalLine, type JournalText, linesIn, wholeLines } from './split-lines.ts';

/** fs.watch reports most changes at once; polling finds the others. */
const POLL_MS = 1000;

/** Takes the error of a segment that cannot be read, which names its file. */
export type OnUnreadable = (error: Error) => void;

/** Reads the uncompressed text of a segment from an offset on, as readChunks() does. */
export type ChunksOf = (dir: string, segment: Segment, from: number) => AsyncIterable<Buffer>;

/**
 * Reads all lines from a position to the present end: whole, in order, and each once. Of a segment
 * that cannot be read to its end, the rest is skipped if there is an `onUnreadable`, which receives
 * the error.
 */
export async function* readLines(
  dir: string,
  from?: Position,
  onUnreadable?: OnUnreadable,
  chunksOf?: ChunksOf,
): AsyncGenerator<JournalLine> {
  for await (const text of readText(dir, from, onUnreadable, chunksOf)) yield* linesIn(text);
}

/**
 * Reads the same as text, which is valid until the next one is asked for. `chunksOf` may leave out lines
 * of compressed segments that it reads from their beginning.
 */
export async function* readText(
  dir: string,
  from?: Position,
  onUnreadable?: OnUnreadable,
  chunksOf: ChunksOf = readChunks,
): AsyncGenerator<JournalText> {
  let position = from ?? { segment: 0, offset: 0 };
  for (;;) {
    const next = position.segment;
    const segment = (await listSegments(dir)).find(({ number }) => number >= next);
    if (segment === undefined) return;
    if (segment.number > position.segment) position = { segment: segment.number, offset: 0 };
    let isReadable = true;
    const note: OnUnreadable | undefined =
      onUnreadable &&
      ((error) => {
        isReadable = false;
        onUnreadable(error);
      });
    for await (const text of textOf(dir, segment, position.offset, note, chunksOf)) {
      yield text;
      position = { segment: text.segment, offset: text.offset };
    }
    // If another segment follows, this one may have grown before it was closed.
    const segments = await listSegments(dir);
    if ((segments.at(-1)?.number ?? 0) <= position.segment) return;
    if (!segment.compressed && isReadable) {
      const { offset } = position;
      const newest = segments.find(({ number }) => number === segment.number) ?? segment;
      for await (const text of textOf(dir, newest, offset, onUnreadable, chunksOf)) {
        yield text;
        position = { segment: text.segment, offset: text.offset };
      }
    }
    position = { segment: position.segment + 1, offset: 0 };
  }
}

/** Reads all lines from a position on, including those that are written later, until `signal`. */
export async function* followLines(
  dir: string,
  from: Position | undefined,
  signal: AbortSignal,
  onUnreadable?: OnUnreadable,
  chunksOf?: ChunksOf,
): AsyncGenerator<JournalLine> {
  const news = createChangeNotifier(dir, signal);
  let position = from;
  try {
    while (!signal.aborted) {
      for await (const line of readLines(dir, position, onUnreadable, chunksOf)) {
        yield line;
        if (signal.aborted) return;
        position = { segment: line.segment, offset: line.offset };
      }
      await news.ring();
    }
  } finally {
    news.close();
  }
}

/** Reads the lines of one segment from an offset of its uncompressed text on. */
export async function* readSegment(
  dir: string,
  segment: Segment,
  from: number,
): AsyncGenerator<JournalLine> {
  for await (const text of textOf(dir, segment, from)) yield* linesIn(text);
}

async function* textOf(
  dir: string,
  segment: Segment,
  from: number,
  onUnreadable?: OnUnreadable,
  chunksOf: ChunksOf = readChunks,
): AsyncGenerator<JournalText> {
  let offset = from;
  try {
    for await (const text of wholeLines(chunksOf(dir, segment, from))) {
      offset += text.length;
      yield { text, segment: segment.number, offset };
    }
  } catch (error) {
    if (onUnreadable === undefined) throw error;
    onUnreadable(named(segmentFile(dir, segment), error as Error));
  }
}

/** Returns an error that says which file cannot be read: those of the disk do not. */
function named(file: string, error: Error): Error {
  return error.message.includes(file) ? error : new Error(`${file}: ${error.message}`);
}

/**
 * Reads the uncompressed text of a segment from an offset on; yields nothing if it is deleted by
 * now, and returns whether it was there. A chunk is valid until the next one is asked for.
 */
export async function* readChunks(
  dir: string,
  segment: Segment,
  from: number,
): AsyncGenerator<Buffer, boolean> {
  let handle: FileHandle;
  try {
    handle = await open(segmentFile(dir, segment));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const other = { ...segment, compressed: !segment.compressed };
    const there = (await listSegments(dir)).some(
      (one) => one.number === other.number && one.compressed === other.compressed,
    );
    return there && (yield* readChunks(dir, other, from));
  }
  try {
    if (segment.compressed) yield* inflatedChunks(handle, segmentFile(dir, segment), from);
    else yield* plainChunks(handle, from);
    return true;
  } finally {
    await handle.close();
  }
}

/** Creates a wait for a change in the folder, for a second, or for the end. */
function createChangeNotifier(
  dir: string,
  signal: AbortSignal,
): { ring(): Promise<void>; close(): void } {
  let heard = false;
  let wake = () => {};
  const strike = () => {
    heard = true;
    wake();
  };
  const watcher = watchFolder(dir, strike);
  signal.addEventListener('abort', strike);
  return {
    async ring() {
      if (!heard)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, POLL_MS);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      heard = false;
    },
    close() {
      watcher?.close();
      signal.removeEventListener('abort', strike);
    },
  };
}

/**
 * Watches a folder. If the system has no watch left, or the folder was removed, polling must
 * suffice.
 */
function watchFolder(dir: string, strike: () => void): FSWatcher | undefined {
  try {
    return watch(dir, { persistent: false }, strike).on('error', () => {});
  } catch {
    return undefined;
  }
}
