import type { NodeState } from '../completeness/node.ts';
import type { InputSummary } from '../report/packed.ts';
import type { Selection, TimeRange } from '../select/filter.ts';
import type { Tables } from '../select/tables.ts';
import type { OffTime } from './memory/off-times.ts';

/** What the records come from. */
export interface About {
  readonly kind: 'files' | 'store';
  readonly inputs: readonly InputSummary[];
  /** Unix nanoseconds; undefined: there are no records */
  readonly first: bigint | undefined;
  readonly last: bigint | undefined;
  readonly records: bigint;
  readonly nodes: readonly string[];
  readonly warnings: readonly string[];
  /** how complete the records are, in one sentence */
  readonly completeness: string;
  /** when the records were read, in Unix nanoseconds; undefined: whenever somebody asks */
  readonly loaded: bigint | undefined;
  /** the time from which on records are shown unless a question names another one */
  readonly since: string | undefined;
}

/** Some records in their order. */
export interface Page {
  /** the lines of the journal */
  readonly lines: readonly string[];
  /** the place of the last of them; undefined: there are no more behind it */
  readonly next: string | undefined;
  /** the place of the first of them; undefined: there are none before it */
  readonly prev: string | undefined;
}

/** Some records, each with the number of records that it caused. */
export interface Branches extends Page {
  readonly children: readonly number[];
}

/** How many causes of a record an answer has, besides the last one. */
export const CAUSES_MAX = 30;

/** A record and its causes, the nearest first. */
export interface Chain {
  readonly lines: readonly string[];
  /** how many causes before the last one are left out */
  readonly between: number;
  /** Whether the cause of the last one is in the chain. */
  readonly isCircle: boolean;
  /** how many records the first one caused */
  readonly children: number;
}

/** Which part of an answer is wanted. */
export interface Part {
  /** a place that an earlier answer named; undefined: an end of the answer */
  readonly place: string | undefined;
  /** Whether the records before the place are wanted, and not those behind it. */
  readonly isBackwards: boolean;
  /** from this time on, in Unix nanoseconds, without a place */
  readonly from: bigint | undefined;
  readonly limit: number;
}

/** Which record is meant; several nodes may have one with the same id. */
export interface Which {
  /** its id, or the beginning of it */
  readonly id: string;
  /** its node; undefined: it may be any */
  readonly on: string | undefined;
  /** its time in Unix nanoseconds; undefined: it may be any */
  readonly at: bigint | undefined;
  /** where it is looked for first */
  readonly hint: Pick<Selection, 'since' | 'node'>;
}

/** What the memory of a node is like in a part of a time. */
export interface Cell {
  readonly state: NodeState;
  /** records that are there */
  readonly records: number;
}

/** The cells of a node, one for each part of a time. */
export interface NodeCells {
  readonly node: string;
  readonly first: bigint;
  readonly last: bigint;
  /** when no agent was running */
  readonly off: readonly OffTime[];
  readonly cells: readonly Cell[];
}

/** Records that questions are about; every question ends early when its signal says so. */
export interface Memory extends AsyncDisposable {
  about(signal: AbortSignal): Promise<About>;
  /** Has SQL answered from the records of a selection. */
  ask<T>(
    selection: Selection,
    signal: AbortSignal,
    question: (tables: Tables) => Promise<T>,
  ): Promise<T>;
  /** Returns records of a selection by time. */
  records(selection: Selection, part: Part, signal: AbortSignal): Promise<Page>;
  /** Returns the records of a selection whose cause is not in it. */
  roots(selection: Selection, part: Part, signal: AbortSignal): Promise<Branches>;
  /** Returns a record and its causes. Throws if there is no such record, or several. */
  chain(which: Which, signal: AbortSignal): Promise<Chain>;
  /** Returns the records that a record caused. */
  children(which: Which, part: Part, signal: AbortSignal): Promise<Branches>;
  /** Says in one sentence how complete the records of a selection's time and nodes are. */
  completeness(selection: Selection, signal: AbortSignal): Promise<string>;
  /** Judges the records of each node in each part of a time. */
  cells(
    times: readonly TimeRange[],
    selection: Selection,
    signal: AbortSignal,
  ): Promise<readonly NodeCells[]>;
  /** Writes all records of a selection, and says how complete they are, and what is missing. */
  write(
    selection: Selection,
    form: 'jsonl' | 'csv',
    write: (text: string) => Promise<void>,
    signal: AbortSignal,
  ): Promise<readonly string[]>;
}
