import type { Scope } from '../encode/scope.ts';
import { WithheldLogRecord } from '../encode/withheld-log-record.ts';
import type { WithheldExec } from './filter.ts';
import type { Position } from './position.ts';

/** How many ranges one record has at most. */
const RANGES_MAX = 64;

/** A record about execs that were kept back, and where the line of the first of them begins. */
export interface PlacedRecord {
  readonly start: Position;
  readonly record: WithheldLogRecord;
}

/** Contiguous numbers of one CPU. */
interface Range {
  readonly start: Position;
  readonly first: number;
  last: WithheldExec;
}

/** The execs of a batch that rules keep back. */
export class Withheld {
  readonly #byCpu = new Map<string, Range[]>();
  #ranges = 0;

  /** How many ranges of numbers there are. */
  get size(): number {
    return this.#ranges;
  }

  /** Adds the next one, whose line begins at `start`. */
  add(exec: WithheldExec, start: Position): void {
    const key = `${exec.bootId}/${exec.hookId}/${exec.cpu}`;
    let ranges = this.#byCpu.get(key);
    if (ranges === undefined) {
      ranges = [];
      this.#byCpu.set(key, ranges);
    }
    const range = ranges.at(-1);
    if (range !== undefined && range.last.seq + 1 === exec.seq) range.last = exec;
    else {
      ranges.push({ start, first: exec.seq, last: exec });
      this.#ranges += 1;
    }
  }

  /** Returns the records that say which they are, in the order of the journal. */
  records(scope: Scope): PlacedRecord[] {
    const records: PlacedRecord[] = [];
    for (const ranges of this.#byCpu.values())
      for (let at = 0; at < ranges.length; at += RANGES_MAX) {
        const some = ranges.slice(at, at + RANGES_MAX);
        const [{ start }] = some as [Range];
        records.push({ start, record: recordOf(some, scope) });
      }
    return records.sort(
      (a, b) => a.start.segment - b.start.segment || a.start.offset - b.start.offset,
    );
  }
}

function recordOf(ranges: readonly Range[], scope: Scope): WithheldLogRecord {
  const { last } = ranges.at(-1) as Range;
  const { hookId, cpu } = last;
  const numbers = ranges.map(({ first, last: { seq } }) => ({ first, last: seq }));
  return new WithheldLogRecord({ hookId, cpu, ranges: numbers }, last, scope);
}
