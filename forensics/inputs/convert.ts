import { rmSync } from 'node:fs';
import { type JsonObject, writeExact } from '../../record/exact-json.ts';
import { CopyFile } from './copy-file.ts';
import { contentOf } from './otlp.ts';
import type { Damage } from './read/file-window.ts';
import { type Line, readLines } from './read/lines.ts';
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

  #writeLogs(records: readonly (JsonObject | undefined)[], number: number): void {
    for (const record of records) {
      if (record === undefined) {
        this.#foreign += 1;
        continue;
      }
      this.#withheld.push(...withheldIn(record));
      this.#write(writeExact(record), number);
    }
  }

  #write(text: string, number: number): void {
    this.#lines.push(number);
    this.#file.write(Buffer.from(`${text}\n`));
  }
}
