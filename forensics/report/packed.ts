/** What the page reads: the input with every distinct value written once. */
export interface Packed {
  readonly title: string;
  readonly selection: string;
  readonly inputs: readonly InputSummary[];
  readonly warnings: readonly string[];
  /** by record id */
  readonly notes: readonly (readonly [id: string, notes: readonly string[]])[];
  /** distinct lists of field names: core fields by name, the others as `actor.…`, `attributes.…` */
  readonly shapes: readonly (readonly string[])[];
  readonly values: readonly unknown[];
  /** a record each: its shape, then for each field an index into values */
  readonly rows: readonly (readonly number[])[];
}

/** A file that was read, and how many of its lines could not be used. */
export interface InputSummary {
  readonly path: string;
  readonly records: number;
  readonly skippedLines: number;
}
