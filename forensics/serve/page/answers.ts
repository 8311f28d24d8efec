import type { InputSummary, Packed } from '../../report/packed.ts';

/** A moment in Unix nanoseconds, as a decimal string. */
export type Moment = string;

/** A number of records, as a decimal string if the server counts with 64 bits. */
export type Count = number | string;

/** Records, packed as in a report (report/pack.ts). */
export type Rows = Pick<Packed, 'shapes' | 'values' | 'rows'>;

/** The answer of /api/summary. */
export interface Summary {
  readonly title: string;
  readonly kind: 'files' | 'store';
  readonly inputs: readonly InputSummary[];
  readonly first: Moment | null;
  readonly last: Moment | null;
  readonly records: Count;
  /** how complete the memory of the nodes is, in a sentence */
  readonly completeness: string;
  readonly warnings: readonly string[];
  readonly nodes: readonly string[];
  /** when the inputs were read; null: each question reads them */
  readonly loaded: Moment | null;
  /** whether they can be read again */
  readonly isRepeatable: boolean;
  /** what is known of the audit log, in a sentence; null: there is none */
  readonly auditLog: string | null;
  /** what bounds every question; null: nothing does */
  readonly since: string | null;
}

/** The answer of /api/histogram. */
export interface Histogram {
  /** null: nothing bounds the time, and no record matches */
  readonly from: Moment | null;
  readonly to: Moment | null;
  /** the number of nodes */
  readonly nodes: number;
  readonly bars: readonly HistogramBar[];
}

/** What a part of the time has. */
export interface HistogramBar {
  readonly from: Moment;
  readonly to: Moment;
  readonly records: number;
  readonly gaps: number;
  /** the number of journal.loss */
  readonly lossRecords: number;
  /** how many records they report; null: an unknown number is among them */
  readonly lost: number | null;
  /** how many nodes have no record */
  readonly silent: number;
}

/** The answer of /api/records. */
export interface RecordPage extends Rows {
  readonly prev?: string | null;
  /** how many records of the selection are before the page; null: nobody counted them */
  readonly position?: Count | null;
  readonly next: string | null;
  /** the number of all records of the selection; null: not with this page */
  readonly matched: Count | null;
}

/** The answer of /api/record: a record, then its causes, the nearest first. */
export interface Chain extends Rows {
  readonly id: string;
  readonly notes: Packed['notes'];
  /** how many causes before the last one are left out */
  readonly between: number;
  /** the number of its direct effects */
  readonly children: number;
  /** why the chain ends */
  readonly end: string;
  /** the chain in words */
  readonly sentences: readonly string[];
}

/** The answer of /api/children and /api/tree. */
export interface Branch extends Rows {
  /** the number of direct effects of each record */
  readonly children: readonly number[];
  readonly notes: Packed['notes'];
  readonly next: string | null;
}

/** The answer of /api/values. */
export interface Values {
  readonly values: readonly { readonly value: string; readonly records: number }[];
}

/** What is known of a node in a part of the time. */
export type State =
  | 'complete'
  | 'losses'
  | 'holes'
  | 'untold'
  | 'deleted'
  | 'withheld'
  | 'silent'
  | 'none';

/** A node in a part of the time. */
export interface UnknownCell {
  readonly state: State;
  readonly records: number;
  /** null: an unknown number */
  readonly lost: number | null;
  readonly withheld: number;
  /** what a store has deleted since it arrived */
  readonly deleted: number;
  readonly missing: number;
}

/** The answer of /api/unknown. */
export interface Unknown {
  /** nanoseconds */
  readonly step: Moment;
  readonly times: readonly Moment[];
  readonly nodes: readonly {
    readonly node: string;
    readonly cells: readonly UnknownCell[];
  }[];
  readonly nodesLeftOut: number;
}
