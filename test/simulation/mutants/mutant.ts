/** A planted fault: one change of one file that somebody could make by mistake. */
export interface Mutant {
  /** What the changed code does, in a few words; it is the mutant's name in figures. */
  readonly name: string;
  /** from the root of the repository */
  readonly file: string;
  /** The exact text that the fault replaces; the file has it once. */
  readonly before: string;
  readonly after: string;
  /** Why somebody could make this mistake. */
  readonly why: string;
}

/** Returns a file's text with the fault in it; throws if the text to replace is not there once. */
export function mutated(text: string, { name, file, before, after }: Omit<Mutant, 'why'>): string {
  const parts = text.split(before);
  if (parts.length !== 2)
    throw new Error(`${name}: ${file} has the text ${parts.length - 1} times:\n${before}`);
  return parts.join(after);
}
