/**
 * A position between two lines of the journal: a segment's number and an offset in its uncompressed
 * text.
 */
export interface Position {
  readonly segment: number;
  readonly offset: number;
}

/** A line of the journal, without its line feed, and the position after it. */
export interface JournalLine extends Position {
  readonly line: string;
}

/** Whole lines of the journal, each with its line feed, and the position after them. */
export interface JournalText extends Position {
  readonly text: Buffer;
}

/** The journal, as far as the export uses it. */
export interface ExportedJournal {
  readonly dir: string;
  /** the position before the first line that is not deleted; undefined: there is no line */
  readonly oldest: Position | undefined;
  /** the position after the last line */
  readonly end: Position;
  /** Returns what `oldest` is by now. */
  findOldest(): Promise<Position | undefined>;
  /** Reads the lines from a position to the end of the journal; skips what was deleted. */
  readLines(from: Position): AsyncIterator<JournalLine>;
  /** Reads the same as text, which is valid until the next one is asked for. */
  readText(from: Position): AsyncIterator<JournalText>;
}

/** Says whether two positions are the same. */
export function isSame(one: Position, other: Position): boolean {
  return one.segment === other.segment && one.offset === other.offset;
}
