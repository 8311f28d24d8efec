import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { numbersIn, type SequenceRange } from '../../../record/numbers.ts';
import { AgentError } from '../../errors.ts';
import { readPlainFile, replaceFile, syncFolder } from '../../files.ts';
import { readLines } from '../read.ts';
import { type Position, segmentFile } from '../segment.ts';
import type { DeletedRange } from './retention.ts';

const NAME = 'deletions.json';

/** A segment that goes for space, or is gone; its ranges are recorded somewhere behind `since`. */
interface Deletion {
  readonly segment: number;
  readonly since: Position;
  readonly ranges: readonly DeletedRange[];
}

/** A deletion as the file has it. The name of its ranges is that of 0.1.0, which reads the file too. */
type NotedDeletion = Omit<Deletion, 'ranges'> & { readonly runs: Deletion['ranges'] };

interface Pending extends Deletion {
  readonly untold: Map<string, DeletedRange>;
  /** The segments in which something of it was told. */
  readonly toldIn: Set<number>;
}

/**
 * Deletions of segments, each of which is told in the journal once, wherever a crash falls: what
 * goes stands in a file, from before it goes until what tells of it is on disk.
 */
export class Deletions {
  /** Behind all that is written by now. */
  end: Position;
  readonly #dir: string;
  #pending: readonly Pending[] = [];

  constructor(dir: string, end: Position) {
    this.#dir = dir;
    this.end = end;
  }

  /** Ends what an earlier run had begun; returns what is left to be told of it. */
  async resume(): Promise<DeletedRange[]> {
    const pending: Pending[] = [];
    const known = readDeletions(this.#dir);
    for (const deletion of known) {
      const one = pendingOf(deletion);
      for await (const { line } of readLines(this.#dir, deletion.since)) tell(one, line, 0);
      await this.#remove(deletion.segment);
      if (one.untold.size === 0) continue;
      // What the power took from the journal's end comes to lie there once more.
      pending.push(pendingOf({ ...deletion, since: this.end, ranges: [...one.untold.values()] }));
    }
    this.#pending = pending;
    if (known.length > 0) await this.#write();
    return pending.flatMap(({ ranges }) => ranges);
  }

  /** Deletes a segment. If that cannot be noted first, it is deleted all the same, before it throws. */
  async delete(segment: number, ranges: readonly DeletedRange[]): Promise<void> {
    const deletion = pendingOf({ segment, since: this.end, ranges });
    try {
      if (ranges.length === 0) return;
      this.#pending = [...this.#pending, deletion];
      await this.#write();
    } finally {
      await this.#remove(segment);
    }
  }

  /** Takes note of lines that are in the journal now, up to `end`; true when a deletion is told by now. */
  note(lines: Buffer, end: Position): boolean {
    this.end = end;
    const waiting = this.#pending.filter(({ untold }) => untold.size > 0);
    if (waiting.length === 0 || !lines.includes('"retention"')) return false;
    const text = lines.toString('latin1');
    for (const one of waiting) tell(one, text, end.segment);
    return waiting.some(({ untold }) => untold.size === 0);
  }

  /** Forgets what is told, once that is on disk. */
  async settle(): Promise<void> {
    const told = this.#pending.filter(({ untold }) => untold.size === 0);
    for (const { toldIn } of told)
      for (const segment of toldIn) await syncSegment(this.#dir, segment);
    this.#pending = this.#pending.filter((one) => !told.includes(one));
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
  const untold = new Map(deletion.ranges.map((range) => [keyOf(range), range]));
  return { ...deletion, untold, toldIn: new Set() };
}

function tell({ untold, toldIn }: Pending, lines: string, segment: number): void {
  if (!lines.includes('"retention"')) return;
  for (const numbers of numbersIn(lines))
    if (numbers.stage === 'retention' && untold.delete(keyOf(numbers))) toldIn.add(segment);
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
    // compressed by now, and so on disk
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** A file that is there is whole, for it came by a rename; what it says is not believed for that. */
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
