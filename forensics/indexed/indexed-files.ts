import { indexName, openIndex } from '../../record/index/open-index.ts';
import type { SegmentIndex } from '../../record/index/segment-index.ts';
import type { Source } from '../inputs/source.ts';
import type { Journals } from '../journals.ts';

/** A compressed segment with what its index says. */
export interface IndexedFile {
  readonly source: Source;
  readonly index: SegmentIndex;
}

/** The files of journals whose indexes can be used, and remarks on those that cannot. */
export interface IndexedFiles {
  readonly files: readonly IndexedFile[];
  readonly notes: readonly string[];
}

/**
 * Opens the indexes of all files. Where inputs of several journals may have the same records, every
 * record must be compared, and indexes are of no use.
 */
export async function indexedFiles(journals: Journals): Promise<IndexedFiles> {
  const files: IndexedFile[] = [];
  const notes: string[] = [];
  if (!journals.isOneJournal) return { files, notes };
  for (const source of journals.files)
    try {
      const index = source.isOriginal ? await openIndex(source.original) : undefined;
      if (index !== undefined) files.push({ source, index });
    } catch (error) {
      notes.push(`${indexName(source.path)}: not used: ${(error as Error).message}`);
    }
  return { files, notes };
}
