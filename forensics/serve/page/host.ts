import type { Place } from './place.ts';

/** What the parts of the page ask of the page. */
export interface Host {
  readonly place: Place;
  /** the times of the first and the last record */
  readonly bounds: { readonly first: bigint; readonly last: bigint };
  /** Shows another place; the way back leads to the present one. */
  go(change: Partial<Place>): void;
  /** Shows the record with a name in the details; a record without an id has none. */
  select(id: string | undefined): void;
  /** Shows why something could not be read. */
  fail(error: unknown): void;
}
