import { rfc3339Of } from '../../record/time.ts';
import type { Witness } from '../audit/checkpoints/witness.ts';
import { ForensicsError } from '../errors.ts';
import { type CheckpointLine, readCheckpointLine } from './checkpoint-line.ts';
import { chunksOf, pathOf } from './chunks.ts';
import {
  type JournalBlock,
  type JournalBlocks,
  readBlocks,
  readPart,
  treeFrom,
} from './journal-blocks.ts';
import { type Proof, proofText } from './proof-text.ts';
import { type During, selectedIn, unclearIn, type Where, whereText } from './selected.ts';
import { compareWith, contradictionInWords } from './witnessed.ts';

/** The lines of a proof of a selection. */
const LINES_MAX = 64 << 20;
const ID = Buffer.from('{"id":"');
const LINE_FEED = 0x0a;
const QUOTE = 0x22;

/** Makes the proof of one record, by its id or the beginning of it. */
export async function proveRecord(
  inputs: readonly string[],
  id: string,
  witness?: Witness,
): Promise<Buffer> {
  const places: { segment: number; at: number }[] = [];
  let search = searchFor(id);
  const journal = await readBlocks(inputs, (part, segment) => {
    if (segment !== search.segment) search = searchFor(id, segment);
    for (const at of search.places(part)) places.push({ segment, at });
  });
  const [place, ...others] = places;
  if (place === undefined) throw new ForensicsError('negative', `no record has the id ${id}`);
  if (others.length > 0)
    throw new ForensicsError('usage', `${places.length} records have ids that begin with ${id}`);
  const { segment, at } = place;
  const file = journal.files[segment] ?? '';
  const block = journal.blocks.find(
    (one) => one.segment === segment && at >= one.from && at < one.end,
  );
  if (block === undefined) throw uncovered(journal, segment);
  if (at >= block.to)
    throw new ForensicsError(
      'usage',
      'this is a checkpoint: what a proof shows is that a record is under one',
    );
  requireSound(block, file);
  const text = await readPart(file, block.from, block.to);
  const chunks = chunksOf(text);
  const index = chunkAt(chunks, at - block.from);
  return proofText({
    kind: 'record',
    records: [idAt(text, at - block.from)],
    lines: chunks[index] ?? Buffer.alloc(0),
    chunk: pathOf(chunks, index),
    ...(await anchored(journal, { first: block, last: block, hasFollower: false }, witness)),
  });
}

/** Makes the proof that a selection has these execs and no others. */
export async function proveSelection(
  inputs: readonly string[],
  where: Where,
  during: During,
  witness?: Witness,
): Promise<Buffer> {
  const unclear = unclearIn(where);
  if (unclear !== undefined)
    throw new ForensicsError(
      'usage',
      `a proof cannot be of this, choose other options: ${unclear}`,
    );
  const journal = await readBlocks(inputs);
  const closing = await closingOf(journal, during);
  const { opening, blocks } = rangeOf(journal, during, closing.block);
  requireWhole(journal, blocks);
  const lines = await linesOf(journal, blocks);
  const [first] = blocks;
  const last = blocks.at(-1);
  if (first === undefined || last === undefined) throw uncovered();
  return proofText({
    kind: 'selection',
    records: await selectedIn(lines, where, {
      ...during,
      until: during.until ?? closing.completeUntil,
    }),
    where: whereText(where),
    ...during,
    opening: opening && (await lineOf(journal, opening)),
    lines,
    ...(await anchored(journal, { first, last, hasFollower: true }, witness)),
  });
}

/** Returns the lines of blocks that follow each other, and of their checkpoints. */
async function linesOf({ files }: JournalBlocks, blocks: readonly JournalBlock[]): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (const [segment, own] of Map.groupBy(blocks, (block) => block.segment)) {
    const [from, end] = [own[0]?.from ?? 0, own.at(-1)?.end ?? 0];
    parts.push(await readPart(files[segment] ?? '', from, end));
  }
  return Buffer.concat(parts);
}

/** A block up to whose checkpoint execs are proved. */
interface Closing {
  readonly block: JournalBlock;
  /** Unix nanoseconds */
  readonly completeUntil: bigint;
}

/**
 * Returns the first block whose checkpoint is complete up to the end of a time; without an end, the last
 * of the epoch that says up to when it is complete.
 */
async function closingOf(journal: JournalBlocks, { since, until }: During): Promise<Closing> {
  const { blocks } = journal;
  const last = blocks.at(-1);
  if (last === undefined) throw uncovered();
  // The wall clock may have been set: behind the last checkpoint that may have such a time.
  const candidates =
    until === undefined
      ? blocks.filter(({ checkpoint }) => checkpoint.epoch === last.checkpoint.epoch).toReversed()
      : blocks.slice(blocks.findLastIndex(({ checkpoint }) => BigInt(checkpoint.time) < until) + 1);
  for (const block of candidates) {
    const { completeUntil } = (await checkpointOf(journal, block)) ?? {};
    if (completeUntil === undefined || completeUntil < (until ?? completeUntil)) continue;
    if (completeUntil <= (since ?? -1n)) break;
    return { block, completeUntil };
  }
  throw tooLate();
}

/** Returns the blocks between the checkpoints that enclose a time, and the first of these checkpoints. */
function rangeOf(
  { blocks }: JournalBlocks,
  { since }: During,
  closing: JournalBlock,
): { readonly opening: JournalBlock | undefined; readonly blocks: readonly JournalBlock[] } {
  const times = blocks.map(({ checkpoint }) => BigInt(checkpoint.time));
  const to = blocks.indexOf(closing) + 1;
  const ofEpoch = blocks.findIndex(
    ({ checkpoint }) => checkpoint.epoch === closing.checkpoint.epoch,
  );
  const beginsHere = blocks[ofEpoch]?.checkpoint.reason !== undefined;
  if (since === undefined) {
    // Before the oldest block whose checkpoint is gone, the numbers are not known.
    const from = beginsHere ? ofEpoch : ofEpoch + 1;
    if (from >= to) throw uncovered();
    return { opening: beginsHere ? undefined : blocks[ofEpoch], blocks: blocks.slice(from, to) };
  }
  const from = times.findIndex((time) => time > since);
  if (from < 0 || from >= to) throw tooLate();
  if (from <= ofEpoch) {
    const begin = beginsHere ? 'leave out --since, or choose it' : 'choose --since';
    const earliest = timeText(times[ofEpoch]);
    throw new ForensicsError(
      'negative',
      `the epoch's first checkpoint is of ${earliest}, and what was before cannot be proved with it: ${begin} from then on`,
    );
  }
  return { opening: blocks[from - 1], blocks: blocks.slice(from, to) };
}

/** Throws unless blocks are sound, follow each other without lines that are in none, and are not too large. */
function requireWhole({ files, tails }: JournalBlocks, blocks: readonly JournalBlock[]): void {
  const bytes = blocks.reduce((sum, { from, end }) => sum + end - from, 0);
  if (bytes > LINES_MAX)
    throw new ForensicsError(
      'usage',
      `the proof would have ${Math.ceil(bytes / (1 << 20))} MiB of lines, and the limit is ${LINES_MAX >> 20} MiB: choose a shorter time with --since and --until`,
    );
  for (const [index, block] of blocks.entries()) {
    const file = files[block.segment] ?? '';
    requireSound(block, file);
    const { size, unverifiedSegments, time } = block.checkpoint;
    if (size > 1 && unverifiedSegments > 0)
      throw new ForensicsError(
        'negative',
        `${file}: a segment before has no checkpoint at its end, so that nothing can be proved across it: choose --since after ${timeText(BigInt(time))}, or an earlier --until`,
      );
    const next = blocks[index + 1];
    if (next === undefined) continue;
    const follows = next.previousLine?.equals(block.line) === true;
    if (!follows || next.checkpoint.size !== block.checkpoint.size + 1)
      throw new ForensicsError(
        'negative',
        `${file}: a checkpoint is missing behind ${timeText(BigInt(block.checkpoint.time))}, so that nothing can be proved across this time: choose --since and --until on one side of it`,
      );
    const tail = tails[block.segment] ?? 0;
    if (next.segment !== block.segment && tail > 0)
      throw new ForensicsError(
        'negative',
        `${file} ends with ${tail} bytes that no checkpoint covers, so that nothing can be proved across them: choose --since and --until on one side of ${timeText(BigInt(block.checkpoint.time))}`,
      );
  }
}

function requireSound({ isSound, checkpoint }: JournalBlock, file: string): void {
  if (isSound) return;
  throw new ForensicsError(
    'negative',
    `${file}: the block before the checkpoint of ${timeText(BigInt(checkpoint.time))} does not verify, so that nothing can be proved from it: run vcml audit`,
  );
}

/** Blocks from one epoch that follow each other. */
interface Proven {
  readonly first: JournalBlock;
  readonly last: JournalBlock;
  /** Whether the block behind confirms the last checkpoint. */
  readonly hasFollower: boolean;
}

/** Returns the path of blocks to a checkpoint: the newest, or the newest that the witness has. */
async function anchored(
  journal: JournalBlocks,
  { first, last, hasFollower }: Proven,
  witness: Witness | undefined,
): Promise<Pick<Proof, 'leaf' | 'previousLine' | 'follower' | 'outside' | 'anchor'>> {
  const { leaves, blocks } = treeFrom(journal, first);
  const covering = blocks.filter(({ checkpoint }) => checkpoint.size >= last.checkpoint.size);
  const anchor = await newestIn(journal, covering, witness);
  if (anchor === undefined || first.previousLine === undefined)
    throw new ForensicsError(
      'negative',
      'the witness has no checkpoint that covers this yet: prove it without --witness, or wait until the records have been exported',
    );
  const { size, root } = anchor.checkpoint;
  if (leaves.root(size).toString('base64') !== root)
    throw new ForensicsError(
      'negative',
      `the checkpoint of ${timeText(BigInt(anchor.checkpoint.time))} has another root than the leaves before it: run vcml audit`,
    );
  const isConfirmed = hasFollower && anchor !== last;
  const to = last.checkpoint.size + (isConfirmed ? 1 : 0);
  return {
    leaf: first.checkpoint.size - 1,
    previousLine: first.previousLine,
    follower: isConfirmed ? covering[1]?.root : undefined,
    outside: leaves.outside(first.checkpoint.size - 1, to, size),
    anchor: await lineOf(journal, anchor),
  };
}

/** Returns the newest block whose checkpoint the witness has; undefined: there is none. */
async function newestIn(
  journal: JournalBlocks,
  blocks: readonly JournalBlock[],
  witness: Witness | undefined,
): Promise<JournalBlock | undefined> {
  if (witness === undefined) return blocks.at(-1);
  for (const block of blocks.toReversed()) {
    const { epoch, size } = block.checkpoint;
    if (!witness.epochs.get(epoch)?.has(size)) continue;
    const read = await checkpointOf(journal, block);
    const compared = read === undefined ? 'other line' : compareWith(witness, read);
    if (compared === 'same') return block;
    throw new ForensicsError(
      'negative',
      compared === 'contradicted'
        ? `${contradictionInWords(block.checkpoint)}: run vcml audit --witness`
        : `the witness has another checkpoint ${size} of the epoch ${epoch}: run vcml audit --witness`,
    );
  }
  return undefined;
}

function lineOf({ files }: JournalBlocks, { segment, to, end }: JournalBlock): Promise<Buffer> {
  return readPart(files[segment] ?? '', to, end);
}

async function checkpointOf(
  journal: JournalBlocks,
  block: JournalBlock,
): Promise<CheckpointLine | undefined> {
  return readCheckpointLine(await lineOf(journal, block));
}

/** Says why a record is in no block. */
function uncovered(journal?: JournalBlocks, segment = 0): ForensicsError {
  const isLast = segment === (journal?.files.length ?? 1) - 1;
  return new ForensicsError(
    'negative',
    isLast
      ? 'no checkpoint covers this yet: wait for the next one, which comes at most `checkpointInterval` after an exec'
      : `${journal?.files[segment]} has no checkpoint behind this, so that it cannot be proved`,
  );
}

function tooLate(): ForensicsError {
  return new ForensicsError(
    'negative',
    'no checkpoint says that the journal is complete up to the end of this time: choose an earlier --until, or wait for the next checkpoint, which comes at most `checkpointInterval` after an exec',
  );
}

/** Finds the lines of a segment that begin with an id, in parts of its text. */
function searchFor(id: string, segment = 0) {
  const begin = Buffer.concat([Buffer.of(LINE_FEED), ID, Buffer.from(id)]);
  let rest = Buffer.of(LINE_FEED);
  /** where `rest` begins: the first line has no line feed before it */
  let from = -1;
  return {
    segment,
    *places(part: Buffer): Generator<number> {
      const text = Buffer.concat([rest, part]);
      for (let at = text.indexOf(begin); at >= 0; at = text.indexOf(begin, at + 1))
        yield from + at + 1;
      const kept = Math.min(text.length, begin.length - 1);
      rest = Buffer.from(text.subarray(text.length - kept));
      from += text.length - kept;
    },
  };
}

function idAt(text: Buffer, at: number): string {
  const from = at + ID.length;
  return text.toString('utf8', from, text.indexOf(QUOTE, from));
}

/** Returns the place of the chunk that has an offset. */
function chunkAt(chunks: readonly Buffer[], offset: number): number {
  let end = 0;
  return chunks.findIndex((chunk) => {
    end += chunk.length;
    return offset < end;
  });
}

function timeText(time: bigint | undefined): string {
  return (time !== undefined && rfc3339Of(time)) || 'an unknown time';
}
