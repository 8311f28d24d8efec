/** The data of the page: the input, with every distinct value written once. */
export interface Packed {
  readonly title: string;
  readonly selection: string;
  readonly inputs: readonly InputSummary[];
  readonly warnings: readonly string[];
  /** notes by the place of a record, because several records may have one id */
  readonly notes: readonly (readonly [record: number, notes: readonly string[]])[];
  /** distinct lists of field names: core fields by name, others as `actor.…` and `attributes.…` */
  readonly shapes: readonly (readonly string[])[];
  readonly values: readonly unknown[];
  /** one row per record: its shape, then an index into values for each field */
  readonly rows: readonly (readonly number[])[];
}

/** A file that was read, with the number of lines that could not be used. */
export interface InputSummary {
  readonly path: string;
  readonly records: number;
  readonly skippedLines: number;
}
