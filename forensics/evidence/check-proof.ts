import { isDeepStrictEqual } from 'node:util';
import { readRecord, type StoredRecord } from '../../record/read.ts';
import { leafHash, NO_LINE } from '../../record/tree/hashes.ts';
import { rootOfRange } from '../../record/tree/leaves.ts';
import { keyName, noteBody, verifyNote } from '../../record/tree/note.ts';
import { SegmentReader } from '../audit/checkpoints/segment-reader.ts';
import { type Account, Counting } from './account.ts';
import { type CheckpointLine, readCheckpointLine } from './checkpoint-line.ts';
import { isChunk, linesOf, rootAbove } from './chunks.ts';
import { type Proof, Refused, readProof } from './proof-text.ts';
import { readWhere, selectedIn, type Where } from './selected.ts';

/** What a proof proves. */
export interface Proved {
  /** the checkpoint whose root has everything */
  readonly anchor: CheckpointLine;
  /** in the order of the journal */
  readonly records: readonly StoredRecord[];
  readonly account: Account;
  /** Only of a selection. */
  readonly range: Range | undefined;
}

/** The lines that a selection is made from. */
export interface Range {
  readonly where: Where;
  readonly since: bigint | undefined;
  /** the first time that is not in it; without `--until`, up to when the last checkpoint is complete */
  readonly end: bigint;
  /** undefined: the epoch begins with the lines */
  readonly opening: CheckpointLine | undefined;
  readonly closing: CheckpointLine;
  readonly execs: number;
  /** Whether the line of the last checkpoint is the anchor's, which only a witness can confirm. */
  readonly endsWithAnchor: boolean;
}

/** Checks a proof by itself; throws Refused with the reason if it does not hold. */
export async function checkProof(file: Buffer): Promise<Proved> {
  const proof = readProof(file);
  const anchor = checkpointIn(proof.anchor, 'the checkpoint');
  checkNote(anchor);
  return proof.kind === 'record' ? checkRecord(proof, anchor) : checkSelection(proof, anchor);
}

/** Checks the note of a checkpoint with a verifier key; throws Refused if it is not signed with it. */
export function checkSigned({ host, epoch, size, root, note }: CheckpointLine, key: string): void {
  if (note === undefined) throw new Refused('the checkpoint has no signed note');
  const signed = verifyNote(note, key);
  if (signed !== noteBody(host, epoch, size, root.toString('base64')))
    throw new Refused("the checkpoint's note is not signed with this key");
}

function checkRecord(proof: Proof, anchor: CheckpointLine): Proved {
  const { chunk = [], lines, leaf, previousLine, outside } = proof;
  const isLast = chunk.every(({ side }) => side === 'left');
  if (!isChunk(lines, isLast)) throw new Refused('its lines are no chunk of a block');
  checkRoot([leafHash(previousLine, rootAbove(lines, chunk))], leaf, outside, anchor);
  const all = [...recordsIn(lines)];
  const [id, ...others] = proof.records;
  const found = all.filter((record) => record.id === id);
  if (id === undefined || others.length > 0 || found.length !== 1)
    throw new Refused('its lines do not have the one record that it is about');
  const counting = new Counting();
  for (const record of all) if (record.action === 'journal.loss') counting.add(record);
  return { anchor, records: found, account: counting.end(), range: undefined };
}

async function checkSelection(proof: Proof, anchor: CheckpointLine): Promise<Proved> {
  const { where: text = '', since, until, lines, leaf, previousLine, follower } = proof;
  const where = readWhere(text);
  const opening = proof.opening && checkpointIn(proof.opening, 'the checkpoint before');
  if (!previousLine.equals(opening?.hash ?? NO_LINE))
    throw new Refused('the checkpoint before is not the one that its blocks continue');
  const { leaves, closing } = leavesOf(lines, previousLine, { leaf, epoch: anchor.epoch });
  if (follower !== undefined) leaves.push(leafHash(closing.hash, follower));
  else if (!closing.hash.equals(anchor.hash))
    throw new Refused('nothing confirms the last checkpoint of its lines');
  checkRoot(leaves, leaf, proof.outside, anchor);
  checkOpening(opening, { leaf, epoch: anchor.epoch, since });
  const { completeUntil } = closing;
  if (completeUntil === undefined)
    throw new Refused('the last checkpoint of its lines does not say up to when they are complete');
  const end = until ?? completeUntil;
  if (completeUntil < end) throw new Refused('its lines are not complete up to its end');
  const all = [...recordsIn(lines)];
  if (all.length !== [...linesOf(lines)].length)
    throw new Refused('one of its lines cannot be read as a record');
  const counting = new Counting(opening);
  for (const record of all) counting.add(record);
  const account = counting.end();
  if (account.faults.length > 0) throw new Refused(account.faults.join('; '));
  const ids = await selectedIn(lines, where, { since, until: end });
  if (!isDeepStrictEqual(ids, proof.records))
    throw new Refused(
      `its selection has ${ids.length} execs, and it names ${proof.records.length}, or others`,
    );
  const selected = new Set(ids);
  const records = all.filter(({ id }) => selected.has(id));
  const execs = all.filter(({ action }) => action === 'exec').length;
  const endsWithAnchor = follower === undefined;
  return {
    anchor,
    records,
    account,
    range: { where, since, end, opening, closing, execs, endsWithAnchor },
  };
}

/** Returns the leaves of whole blocks with their checkpoints, and the last one. */
function leavesOf(
  lines: Buffer,
  before: Buffer,
  { leaf, epoch }: { readonly leaf: number; readonly epoch: string },
): { leaves: Buffer[]; closing: CheckpointLine } {
  const reader = new SegmentReader();
  reader.add(lines);
  const { blocks, tail } = reader.end();
  const leaves: Buffer[] = [];
  let previousLine = before;
  let closing: CheckpointLine | undefined;
  for (const { checkpoint, from, bytes, root, lineBytes, lineHash } of blocks) {
    const at = from + bytes;
    closing = checkpointIn(lines.subarray(at, at + lineBytes), 'a checkpoint among its lines');
    const size = leaf + leaves.length + 1;
    if (checkpoint.epoch !== epoch || checkpoint.size !== size)
      throw new Refused(`checkpoint ${size} is not where it must be`);
    if (size > 1 && checkpoint.unverifiedSegments > 0)
      throw new Refused(`there are lines before checkpoint ${size} that no checkpoint covers`);
    const made = leafHash(previousLine, Buffer.from(root, 'base64'));
    if (made.toString('base64') !== checkpoint.leaf || checkpoint.bytes !== bytes)
      throw new Refused(`the block before checkpoint ${size} is not what was recorded`);
    leaves.push(made);
    previousLine = Buffer.from(lineHash, 'base64');
  }
  if (closing === undefined || tail.bytes > 0)
    throw new Refused('its lines do not end with a checkpoint');
  return { leaves, closing };
}

function checkOpening(
  opening: CheckpointLine | undefined,
  {
    leaf,
    epoch,
    since,
  }: { readonly leaf: number; readonly epoch: string; since: bigint | undefined },
): void {
  if (opening === undefined) {
    if (leaf !== 0) throw new Refused('it does not have the checkpoint before its lines');
    if (since !== undefined) throw new Refused('nothing says what was before its first line');
    return;
  }
  if (opening.epoch !== epoch || opening.size !== leaf)
    throw new Refused('the checkpoint before is not the one before its lines');
  if (since !== undefined && opening.timestamp > since)
    throw new Refused('its lines begin after the time that it is about');
}

function checkRoot(
  leaves: readonly Buffer[],
  from: number,
  outside: readonly Buffer[],
  anchor: CheckpointLine,
): void {
  const root = rootOfRange(leaves, from, anchor.size, outside);
  if (root === undefined) throw new Refused('the hashes of the other leaves do not fit');
  if (!root.equals(anchor.root))
    throw new Refused('its lines are not under the root of the checkpoint');
}

/** Whoever has no key sees at least whether a note is about its checkpoint. */
function checkNote({ host, epoch, size, root, note }: CheckpointLine): void {
  const body = noteBody(host, epoch, size, root.toString('base64'));
  if (note !== undefined && !note.startsWith(`${body}\n— ${keyName(host)} `))
    throw new Refused("the checkpoint's note is about another tree");
}

function checkpointIn(line: Buffer, what: string): CheckpointLine {
  const isOneLine = line.indexOf(0x0a) === line.length - 1;
  const read = isOneLine ? readCheckpointLine(line) : undefined;
  if (read === undefined) throw new Refused(`${what} cannot be read`);
  return read;
}

function* recordsIn(lines: Buffer): Generator<StoredRecord> {
  for (const line of linesOf(lines)) {
    const record = readRecord(line.toString('utf8', 0, line.length - 1));
    if (record !== undefined) yield record;
  }
}
