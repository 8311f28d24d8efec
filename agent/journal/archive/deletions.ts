import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { numbersIn, type SequenceRange } from '../../../record/numbers.ts';
import { AgentError } from '../../errors.ts';
import { readPlainFile, replaceFile, syncFolder } from '../../files.ts';
import { readLines } from '../read.ts';
import { type Position, segmentFile } from '../segment.ts';
import type { DeletedRange } from './retention.ts';

const NAME = 'deletions.json';

/**
 * The deletion of a segment for space; its ranges are recorded as losses somewhere after `since`.
 */
interface Deletion {
  readonly segment: number;
  readonly since: Position;
  readonly ranges: readonly DeletedRange[];
}

/** A deletion in the file. Its ranges have the name from version 0.1.0. */
type NotedDeletion = Omit<Deletion, 'ranges'> & { readonly runs: Deletion['ranges'] };

interface Pending extends Deletion {
  readonly unrecorded: Map<string, DeletedRange>;
  /** The segments with losses of this deletion. */
  readonly recordedIn: Set<number>;
}

/**
 * Deletes segments so that the journal records each deletion once, whenever a crash comes. A file
 * notes a deletion before it happens, and until its losses are on disk.
 */
export class Deletions {
  /** The position after everything that is written so far. */
  end: Position;
  readonly #dir: string;
  #pending: readonly Pending[] = [];

  constructor(dir: string, end: Position) {
    this.#dir = dir;
    this.end = end;
  }

  /** Finishes the deletions of an earlier run; returns the ranges that are still to be recorded. */
  async resume(): Promise<DeletedRange[]> {
    const pending: Pending[] = [];
    const known = readDeletions(this.#dir);
    for (const deletion of known) {
      const one = pendingOf(deletion);
      for await (const { line } of readLines(this.#dir, deletion.since)) strike(one, line, 0);
      await this.#remove(deletion.segment);
      if (one.unrecorded.size === 0) continue;
      // After a power cut, the journal may end before the noted position: its end is the new one.
      pending.push(
        pendingOf({ ...deletion, since: this.end, ranges: [...one.unrecorded.values()] }),
      );
    }
    this.#pending = pending;
    if (known.length > 0) await this.#write();
    return pending.flatMap(({ ranges }) => ranges);
  }

  /**
   * Deletes a segment. If that cannot be noted first, as on a full disk, this deletes the segment all
   * the same, and notes the deletion in the room that this makes; throws if that fails, too.
   */
  async delete(segment: number, ranges: readonly DeletedRange[]): Promise<void> {
    if (ranges.length === 0) return this.#remove(segment);
    this.#pending = [...this.#pending, pendingOf({ segment, since: this.end, ranges })];
    try {
      await this.#write();
    } catch {
      await this.#remove(segment);
      return this.#write();
    }
    await this.#remove(segment);
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

  /** Forgets the deletions that are recorded, once their losses are on disk. */
  async settle(): Promise<void> {
    const recorded = this.#pending.filter(({ unrecorded }) => unrecorded.size === 0);
    for (const { recordedIn } of recorded)
      for (const segment of recordedIn) await syncSegment(this.#dir, segment);
    this.#pending = this.#pending.filter((one) => !recorded.includes(one));
    await this.#write();
  }

  async #remove(number: number): Promise<void> {
    for (const compressed of [false, true])
      await rm(segmentFile(this.#dir, { number, compressed }), { force: true });
    await syncFolder(this.#dir);
  }

  async #write(): Promise<void> {
    const file = join(this.#dir, NAME);
    if (this.#pending.length === 0) return rm(file, { force: true });
    const deletions = this.#pending.map(({ segment, since, ranges }) => ({
      segment,
      since,
      runs: ranges,
    }));
    await replaceFile(file, JSON.stringify(deletions satisfies NotedDeletion[]), { durable: true });
  }
}

function pendingOf(deletion: Deletion): Pending {
  const unrecorded = new Map(deletion.ranges.map((range) => [keyOf(range), range]));
  return { ...deletion, unrecorded, recordedIn: new Set() };
}

/** Strikes the ranges that lines record from those that are still to be recorded. */
function strike({ unrecorded, recordedIn }: Pending, lines: string, segment: number): void {
  if (!lines.includes('"retention"')) return;
  for (const numbers of numbersIn(lines))
    if (numbers.stage === 'retention' && unrecorded.delete(keyOf(numbers))) recordedIn.add(segment);
}

function keyOf({ hookId, cpu, firstSeq, lastSeq }: SequenceRange): string {
  return `${hookId}:${cpu}:${firstSeq}:${lastSeq}`;
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
    return deletions.map(({ segment, since, runs }) => ({ segment, since, ranges: runs }));
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
  const { segment, since, runs } = (value ?? {}) as Partial<NotedDeletion>;
  return (
    areNumbers(segment, since?.segment, since?.offset) && Array.isArray(runs) && runs.every(isRange)
  );
}

function isRange(value: unknown): value is DeletedRange {
  const { hookId, cpu, firstSeq, lastSeq, count } = (value ?? {}) as Partial<DeletedRange>;
  return /^\d+$/.test(String(hookId)) && areNumbers(cpu, firstSeq, lastSeq, count);
}

function areNumbers(...values: readonly unknown[]): boolean {
  return values.every((value) => Number.isSafeInteger(value) && (value as number) >= 0);
}
