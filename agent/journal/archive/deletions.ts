import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { numbersIn, type SequenceRange } from '../../../record/numbers.ts';
import { AgentError } from '../../errors.ts';
import { readPlainFile, replaceFile, syncFolder } from '../../files.ts';
import { isNoRoom } from '../device.ts';
import { type OnUnreadable, readLines } from '../read.ts';
import { indexFile, type Position, segmentFile } from '../segment.ts';
import { NEWEST_STATE } from '../state.ts';
import { replaceInReserve, reserveInstead, reserveRoom } from './reserve.ts';
import { type Deleted, type DeletedRange, unknownLossText } from './retention.ts';

const NAME = 'deletions.json';

/** The deletion of a segment for space, which is recorded as losses somewhere after `since`. */
interface Deletion extends Deleted {
  readonly segment: number;
  readonly since: Position;
}

/** A deletion in the file. Its ranges have the name from version 0.1.0. */
type NotedDeletion = Omit<Deletion, 'ranges'> & { readonly runs: Deletion['ranges'] };

interface Pending extends Deletion {
  /** by key; undefined: the records with unknown numbers */
  readonly unrecorded: Map<string, DeletedRange | undefined>;
  /** The segments with losses of this deletion. */
  readonly recordedIn: Set<number>;
  isRemoved: boolean;
}

/**
 * Deletes segments so that the journal records each deletion once, whenever a crash comes. A file
 * notes a deletion before it happens, until the segment is gone and its losses are on disk. No
 * segment is deleted without that note: a reserve keeps room for it on a full disk.
 */
export class Deletions {
  /** The position after everything that is written so far. */
  end: Position;
  readonly #dir: string;
  readonly #mayBeUnsynced: boolean;
  #pending: readonly Pending[] = [];

  /** With `mayBeUnsynced`, a disk that cannot sync does not hold up deletions. */
  constructor(dir: string, end: Position, { mayBeUnsynced = false } = {}) {
    this.#dir = dir;
    this.end = end;
    this.#mayBeUnsynced = mayBeUnsynced;
  }

  /**
   * Takes over the deletions of an earlier run, which settle() completes. Returns what is still to be
   * recorded. Losses in a segment that cannot be read are recorded again.
   */
  async resume(onUnreadable: OnUnreadable): Promise<Deleted[]> {
    // Before anything can fail: what is written to the file later must contain them.
    this.#pending = readDeletions(this.#dir).map(pendingOf);
    for (const one of this.#pending)
      for await (const { line, segment } of readLines(this.#dir, one.since, onUnreadable))
        strike(one, line, segment);
    const left = this.#pending.map((one) => {
      const ranges = [...one.unrecorded.values()].filter((range) => range !== undefined);
      const isUnknown = ranges.length < one.unrecorded.size;
      return { ...one, since: this.end, ranges, unknownOf: isUnknown ? one.unknownOf : undefined };
    });
    // After a power cut, the journal may end before the noted position: its end is the new one.
    this.#pending = this.#pending.map((one, n) => {
      const deletion = left[n];
      return deletion === undefined || one.unrecorded.size === 0 ? one : pendingOf(deletion);
    });
    return left;
  }

  /** Whether the deletion of a segment is noted, which then remains to be removed. */
  isNoted(segment: number): boolean {
    return this.#pending.some((one) => one.segment === segment);
  }

  /** Makes room for a note on a full disk. */
  reserve(): Promise<void> {
    return reserveRoom(this.#file);
  }

  /**
   * Notes that a segment will be deleted. Throws if the disk does not take the note: then the segment
   * must stay.
   */
  async announce(segment: number, { ranges, unknownOf }: Deleted): Promise<void> {
    if (ranges.length === 0 && unknownOf === undefined) return;
    // What the segment has recorded is part of `ranges`, and would be recorded twice after a crash.
    await this.#forget(segment).catch(() => {}); // settle() reports it
    const before = this.#pending;
    this.#pending = [...before, pendingOf({ segment, since: this.end, ranges, unknownOf })];
    try {
      await this.#write({ mayUseReserve: true });
    } catch (error) {
      this.#pending = before;
      throw error;
    }
  }

  /** Deletes a segment whose deletion is announced; if that fails, settle() tries it again. */
  async delete(segment: number): Promise<void> {
    await this.#remove(segment);
    for (const one of this.#pending) if (one.segment === segment) one.isRemoved = true;
    await this.reserve();
  }

  /**
   * Notes lines that are in the journal now, up to `end`. Returns true if a deletion is fully
   * recorded.
   */
  note(lines: Buffer, end: Position): boolean {
    this.end = end;
    const waiting = this.#pending.filter(({ unrecorded }) => unrecorded.size > 0);
    if (waiting.length === 0 || !lines.includes('"retention"')) return false;
    const text = lines.toString('latin1');
    for (const one of waiting) strike(one, text, end.segment);
    return waiting.some(({ unrecorded }) => unrecorded.size === 0);
  }

  /** Removes what is noted and still there, and forgets the deletions whose losses are on disk. */
  async settle(): Promise<void> {
    const left = this.#pending.filter(({ isRemoved }) => !isRemoved);
    for (const one of left) {
      await this.#remove(one.segment);
      one.isRemoved = true;
    }
    if (this.#pending.length === 0) return;
    await this.#forget();
    await this.#write();
  }

  /** Forgets the deletions that are removed, and recorded on disk or in the segment `deleted`. */
  async #forget(deleted?: number): Promise<void> {
    const isOver = ({ unrecorded, isRemoved }: Pending) => isRemoved && unrecorded.size === 0;
    for (const one of this.#pending.filter(isOver)) {
      for (const segment of one.recordedIn)
        if (segment !== deleted) await this.#sync(syncSegment(this.#dir, segment));
      this.#pending = this.#pending.filter((other) => other !== one);
    }
  }

  async #remove(number: number): Promise<void> {
    // Somebody removed the segments: numbers begin again, and this one is new.
    if (number >= this.end.segment) return;
    await rm(indexFile(this.#dir, number), { force: true });
    for (const compressed of [false, true])
      await rm(segmentFile(this.#dir, { number, compressed }), { force: true });
    await this.#sync(syncFolder(this.#dir));
  }

  async #sync(sync: Promise<void>): Promise<void> {
    try {
      await sync;
    } catch (error) {
      if (!this.#mayBeUnsynced) throw error;
    }
  }

  get #file(): string {
    return join(this.#dir, NAME);
  }

  async #write({ mayUseReserve = false } = {}): Promise<void> {
    const file = this.#file;
    if (this.#pending.length === 0) return rm(file, { force: true });
    const deletions = this.#pending.map(({ segment, since, ranges, unknownOf }) => ({
      segment,
      since,
      runs: ranges,
      unknownOf,
    }));
    const text = JSON.stringify(deletions satisfies NotedDeletion[]);
    try {
      await replaceFile(file, text, { durable: true });
    } catch (error) {
      if (mayUseReserve && (await isDone(this.#replaceInRoom(text, error)))) return;
      if (!this.#mayBeUnsynced) throw error;
      await replaceFile(file, text, { durable: false });
    }
  }

  /**
   * Writes to the reserve or, if an older version left none on a disk that is full by now, to the
   * newest state: a start can do without it.
   */
  async #replaceInRoom(text: string, error: unknown): Promise<void> {
    if (await isDone(replaceInReserve(this.#file, text))) return;
    if (!isNoRoom(error)) throw error;
    await reserveInstead(this.#file, join(this.#dir, NEWEST_STATE));
    await replaceInReserve(this.#file, text);
  }
}

/** Returns what is deleted, or will be, and is not recorded yet; throws if the note of it is damaged. */
export function notedDeletions(dir: string): readonly Deleted[] {
  return readDeletions(dir);
}

function pendingOf(deletion: Deletion): Pending {
  const unrecorded = new Map<string, DeletedRange | undefined>(
    deletion.ranges.map((range) => [keyOf(range), range]),
  );
  if (deletion.unknownOf !== undefined)
    unrecorded.set(unknownLossText(deletion.unknownOf), undefined);
  return { ...deletion, unrecorded, recordedIn: new Set(), isRemoved: false };
}

/** Strikes what lines record from what is still to be recorded. */
function strike(
  { unknownOf, unrecorded, recordedIn }: Pending,
  lines: string,
  segment: number,
): void {
  if (!lines.includes('"retention"')) return;
  if (unknownOf !== undefined && lines.includes(unknownLossText(unknownOf)))
    if (unrecorded.delete(unknownLossText(unknownOf))) recordedIn.add(segment);
  for (const numbers of numbersIn(lines))
    if (numbers.stage === 'retention' && unrecorded.delete(keyOf(numbers))) recordedIn.add(segment);
}

function keyOf({ hookId, cpu, firstSeq, lastSeq }: SequenceRange): string {
  return `${hookId}:${cpu}:${firstSeq}:${lastSeq}`;
}

function isDone(work: Promise<void>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}

async function syncSegment(dir: string, number: number): Promise<void> {
  try {
    const handle = await open(segmentFile(dir, { number, compressed: false }), 'r+');
    try {
      await handle.datasync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    // The segment is compressed by now, and therefore on disk.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/**
 * Reads the file of deletions. It is whole, since it was replaced as a whole; but its content is
 * not trusted.
 */
function readDeletions(dir: string): readonly Deletion[] {
  const file = join(dir, NAME);
  let text: string;
  try {
    text = readPlainFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const deletions = parse(text);
  if (Array.isArray(deletions) && deletions.every(isDeletion))
    return deletions.map(({ runs: ranges, ...deletion }) => ({ ...deletion, ranges }));
  throw new AgentError('DELETIONS_DAMAGED', { file });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isDeletion(value: unknown): value is NotedDeletion {
  const { segment, since, runs, unknownOf } = (value ?? {}) as Partial<NotedDeletion>;
  return (
    (unknownOf === undefined || /^\d+$/.test(unknownOf)) &&
    areNumbers(segment, since?.segment, since?.offset) &&
    Array.isArray(runs) &&
    runs.every(isRange)
  );
}

function isRange(value: unknown): value is DeletedRange {
  const { hookId, cpu, firstSeq, lastSeq, count } = (value ?? {}) as Partial<DeletedRange>;
  return /^\d+$/.test(String(hookId)) && areNumbers(cpu, firstSeq, lastSeq, count);
}

function areNumbers(...values: readonly unknown[]): boolean {
  return values.every((value) => Number.isSafeInteger(value) && (value as number) >= 0);
}
