/** A place between two lines of the journal: the segment's number, and the offset in its uncompressed text. */
export interface Position {
  readonly segment: number;
  readonly offset: number;
}

/** A line of the journal, without its line feed, and the position behind it. */
export interface JournalLine extends Position {
  readonly line: string;
}

/** The journal as the export sees it. */
export interface ExportedJournal {
  readonly dir: string;
  /** before the first line that is not deleted by now; undefined: there is none */
  readonly oldest: Position | undefined;
  /** behind the last line */
  readonly end: Position;
  /** The lines from a position to what is the end then; passes over what is deleted. */
  readLines(from: Position): AsyncIterator<JournalLine>;
}

/** They are the same place. */
export function isSame(one: Position, other: Position): boolean {
  return one.segment === other.segment && one.offset === other.offset;
}
