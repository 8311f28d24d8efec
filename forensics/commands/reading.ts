import { EXIT, ForensicsError } from '../errors.ts';
import { Temporary } from '../inputs/temporary.ts';
import type { Journals } from '../journals.ts';
import { printNotes } from '../output/notes.ts';
import { showProgress } from '../output/progress.ts';
import { flush } from '../output/stdout.ts';

/** How a command gets its journals. */
export interface Opening {
  /** Opens them; the folder is removed after the command. */
  readonly open: (temporary: Temporary) => Promise<Journals>;
  /** how much of what `open` does is done, in percent; 0: nobody knows */
  readonly percentage: number;
}

/**
 * Opens journals, runs a command over them, and removes temporary files. `conclude` says how complete
 * the memory is, also if a record does not exist.
 */
export async function reading(
  opening: Opening,
  command: (journals: Journals) => Promise<number>,
  conclude: (journals: Journals) => Promise<void> = async () => {},
): Promise<number> {
  const temporary = new Temporary();
  let journals: Journals | undefined;
  const stopProgress = showProgress(() => ({
    percentages: [
      journals?.percentage ?? opening.percentage,
      // A bar between the lines of an answer would be in their way.
      process.stdout.isTTY ? 0 : (journals?.fetched ?? 0),
    ],
    copied: temporary.bytes,
  }));
  try {
    journals = await opening.open(temporary);
    const exitCode = exitCodeOf(journals, await command(journals));
    await conclude(journals);
    return exitCode;
  } catch (error) {
    // What does not exist in a part of the inputs may exist in the rest.
    const isNegative = error instanceof ForensicsError && error.exitCode === EXIT.negative;
    if (journals === undefined || !isNegative) throw error;
    await printNotes(journals);
    await conclude(journals);
    if (!journals.isPartial) throw error;
    throw new ForensicsError(partialOf(journals), error.message, { cause: error });
  } finally {
    stopProgress();
    await flush();
    // The process ends now, which frees DuckDB's memory sooner than DuckDB does.
    temporary.close();
  }
}

function exitCodeOf(journals: Journals, exitCode: number): number {
  return exitCode === 0 && journals.isPartial ? EXIT[partialOf(journals)] : exitCode;
}

function partialOf({ recordCount }: Journals): 'partial' | 'unreadable' {
  return recordCount === 0 ? 'unreadable' : 'partial';
}
