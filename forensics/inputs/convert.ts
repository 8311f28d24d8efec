import { rmSync } from 'node:fs';
import { type Json, writeExact } from '../../record/exact-json.ts';
import { CopyFile } from './copy-file.ts';
import { contentOf, type LogRecord, logRecordsIn } from './otlp.ts';
import { resourceLogsIn } from './otlp-protobuf.ts';
import type { Damage } from './read/file-window.ts';
import { type Line, readLines } from './read/lines.ts';
import { readText } from './read/text.ts';
import { type WithheldNumbers, withheldIn } from './withheld.ts';

/** The result of writing a file's records as lines of their own. */
export interface Converted {
  /** the line number in the file of each line that was written */
  readonly lines: readonly number[];
  /** lines without a log record: of other signals, or empty */
  readonly others: number;
  /** log records of other programs */
  readonly foreign: number;
  /** what log records say that rules withheld */
  readonly withheld: readonly WithheldNumbers[];
  /** Whether the file has log records. */
  readonly hasLogs: boolean;
  /** Whether the last line has no line feed and is no record. */
  readonly isUnfinished: boolean;
  /** the line numbers behind zeros that were left out, or where something is missing */
  readonly damage: readonly DamagedLine[];
}

/** A line from which on, or before which, something is missing. */
export interface DamagedLine {
  readonly line: number;
  readonly why: string;
}

/** A line that is no record; DuckDB skips it, so that it is counted as others are. */
const UNREADABLE = '?';
/** A message is kept in memory as a whole; a collector sends none that is nearly as large. */
const MESSAGE_MAX = 256 << 20;

/**
 * Writes what a file has as one record a line: lines of a journal unchanged, log records as the
 * records from which they were made, and a mark for each line that is neither. An empty object is
 * OTLP in a file with OTLP, and no record elsewhere.
 */
export async function convert(path: string, target: string): Promise<Converted> {
  const { made, hadEmpty } = await converted(path, target, false);
  if (!hadEmpty || !made.hasLogs) return made;
  rmSync(target);
  return (await converted(path, target, true)).made;
}

/** Writes the records of a file of OTLP in protobuf. A line's number is that of its log record. */
export async function convertProtobuf(path: string, target: string): Promise<Converted> {
  const { message, damage } = await messageIn(path);
  const writer = new Writer(target, false);
  const damaged = (one: Damage) => damagedLine(one, writer.taken + 1);
  let isOtlp = false;
  try {
    for (const json of resourceLogsIn(message)) {
      isOtlp = true;
      writer.takeLogs(json);
    }
    if (damage !== undefined) return { ...writer.made, damage: [damaged(damage)] };
    const isWrong = !isOtlp && message.length > 0;
    const why = { at: 0, why: 'it is not OTLP in protobuf' };
    return { ...writer.made, damage: isWrong ? [damaged(why)] : [] };
  } catch (error) {
    const why = `it is not OTLP in protobuf: ${(error as Error).message}`;
    return { ...writer.made, damage: [damaged(damage ?? { at: message.length, why })] };
  } finally {
    writer.close();
  }
}

/** Returns what of a file can be decompressed, and why not all of it. */
async function messageIn(path: string): Promise<{ message: Buffer; damage: Damage | undefined }> {
  const parts: Buffer[] = [];
  let damage: Damage | undefined;
  let bytes = 0;
  for await (const part of readText(path)) {
    if (!Buffer.isBuffer(part)) damage = part;
    else parts.push(part);
    bytes += Buffer.isBuffer(part) ? part.length : 0;
    if (bytes > MESSAGE_MAX) throw new Error(`a message of more than ${MESSAGE_MAX >> 20} MiB`);
    if (damage !== undefined) break;
  }
  return { message: Buffer.concat(parts), damage };
}

async function converted(path: string, target: string, isEmptyOtlp: boolean) {
  const writer = new Writer(target, isEmptyOtlp);
  const damage: DamagedLine[] = [];
  const onDamage = (one: Damage, line: number) => damage.push(damagedLine(one, line));
  try {
    for await (const line of readLines(path, { onDamage })) {
      if (line.zeros > 0) damage.push({ line: line.number, why: zerosBefore(line) });
      writer.take(line);
    }
  } finally {
    writer.close();
  }
  return { made: { ...writer.made, damage }, hadEmpty: writer.hadEmpty };
}

/** Says where in a file something is missing. */
export function damagedLine({ at, why }: Damage, line: number): DamagedLine {
  return { line, why: `damaged at byte ${at}: ${why}` };
}

function zerosBefore({ zeros }: Line): string {
  return `${zeros} zero bytes stand where something was written`;
}

class Writer {
  readonly #file: CopyFile;
  readonly #isEmptyOtlp: boolean;
  readonly #lines: number[] = [];
  #others = 0;
  #foreign = 0;
  readonly #withheld: WithheldNumbers[] = [];
  #hasLogs = false;
  #isUnfinished = false;
  /** how many log records were taken */
  taken = 0;
  /** Whether there was an empty object. */
  hadEmpty = false;

  constructor(target: string, isEmptyOtlp: boolean) {
    this.#file = new CopyFile(target);
    this.#isEmptyOtlp = isEmptyOtlp;
  }

  take({ text, number, whole, isTooLong }: Line): void {
    const content = isTooLong ? ({ kind: 'neither' } as const) : contentOf(text);
    this.#isUnfinished = !whole && content.kind === 'neither';
    this.hadEmpty ||= content.kind === 'empty';
    const isOtlp = content.kind === 'empty' ? this.#isEmptyOtlp : content.kind !== 'neither';
    if (content.kind === 'record') this.#write(text, number);
    else if (!isOtlp) this.#write(UNREADABLE, number);
    else {
      this.#hasLogs = true;
      if (content.kind === 'logs') this.#writeLogs(content.records, number);
      else this.#others += 1;
    }
  }

  /** Takes the log records of a resource; undefined: it has something else. */
  takeLogs(json: Json | undefined): void {
    if (json === undefined) {
      this.#others += 1;
      return;
    }
    this.#hasLogs = true;
    for (const record of logRecordsIn([json])) {
      this.taken += 1;
      this.#writeLogs([record], this.taken);
    }
  }

  get made(): Omit<Converted, 'damage'> {
    return {
      lines: this.#lines,
      others: this.#others,
      foreign: this.#foreign,
      withheld: this.#withheld,
      hasLogs: this.#hasLogs,
      isUnfinished: this.#isUnfinished,
    };
  }

  close(): void {
    this.#file.close();
  }

  #writeLogs(records: readonly LogRecord[], number: number): void {
    for (const record of records) {
      if (record === null) {
        this.#write(UNREADABLE, number);
        continue;
      }
      if (record === undefined) {
        this.#foreign += 1;
        continue;
      }
      for (const one of withheldIn(record)) this.#withheld.push(one);
      this.#write(writeExact(record), number);
    }
  }

  #write(text: string, number: number): void {
    this.#lines.push(number);
    this.#file.write(Buffer.from(`${text}\n`));
  }
}
