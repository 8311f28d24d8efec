import { readdirSync, realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { compressedName } from '../../inputs/find.ts';
import { SEGMENT } from '../../inputs/names.ts';
import { readSoundText } from '../../inputs/read/text.ts';
import type { Source } from '../../inputs/source.ts';
import type { Journals } from '../../journals.ts';
import { type History, historyOf, type Segment } from './history.ts';
import type { SegmentFacts } from './segment-facts.ts';
import { SegmentReader } from './segment-reader.ts';

/** A journal among the inputs, and what its checkpoints show. */
export interface VerifiedJournal extends History {
  /** its folder, or its file if it has no other one */
  readonly path: string;
  /** Whether the journal has later segments that are not among the inputs. */
  readonly isCutOff: boolean;
}

/** Verifies the segments of all journals among the inputs. */
export async function verifyJournals(journals: Journals): Promise<VerifiedJournal[]> {
  const byFolder = new Map<string, Segment[]>();
  for (const file of journals.files) {
    const ofFile = segmentsOf(file);
    if (ofFile.length === 0) continue;
    const facts = file.segmentFacts ?? (await factsOf(file));
    for (const { journal, original, path } of ofFile) {
      const segments = byFolder.get(journal) ?? [];
      byFolder.set(journal, segments);
      segments.push({ path, number: numberOf(original), facts });
    }
  }
  const unread = unreadSegments(journals.problems);
  return [...byFolder].map(([folder, segments]) => {
    segments.sort((a, b) => a.number - b.number);
    const there = segmentsIn(folder);
    const explained = new Set([...there, ...(unread.get(folder) ?? [])]);
    const last = segments.at(-1)?.number ?? 0;
    return {
      path: segments.length === 1 ? (segments[0]?.path ?? folder) : folder,
      isCutOff: there.some((number) => number > last),
      ...historyOf(
        segments,
        [...explained].sort((a, b) => a - b),
      ),
    };
  });
}

/** Returns which of a file and its copies are segments of journals. */
export function segmentsOf(file: Source): Source[] {
  return [file, ...file.copies].filter(({ isSegment }) => isSegment);
}

/** Reads a segment for its checkpoints; undefined: it cannot be read as it was written. */
async function factsOf(file: Source): Promise<SegmentFacts | undefined> {
  if (file.damage.length > 0) return undefined;
  const { original } = file;
  // It may have been compressed meanwhile, or deleted, and then its text may have been kept.
  const paths = [original, compressedName(original), ...(file.hasOwnText ? [file.file] : [])];
  for (const path of paths) {
    try {
      const reader = new SegmentReader();
      for await (const part of readSoundText(path)) reader.add(part);
      return reader.end();
    } catch {
      // The next one may be there; what is wrong with a file is a finding of its own.
    }
  }
  return undefined;
}

/** Returns the numbers of segments that cannot be read, by their folders. */
function unreadSegments(problems: Journals['problems']): ReadonlyMap<string, readonly number[]> {
  const byFolder = new Map<string, number[]>();
  for (const { path } of problems) {
    if (!SEGMENT.test(basename(path))) continue;
    const folder = realFolder(path);
    byFolder.set(folder, [...(byFolder.get(folder) ?? []), numberOf(path)]);
  }
  return byFolder;
}

function realFolder(path: string): string {
  try {
    return realpathSync(dirname(path));
  } catch {
    return dirname(path);
  }
}

/**
 * Returns the numbers of the segments that a folder has, be they inputs or not. A folder or a link with the
 * name of a segment does not explain why the segment is not among the inputs.
 */
function segmentsIn(folder: string): number[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((one) => one.isFile() && SEGMENT.test(one.name))
      .map(({ name }) => numberOf(name));
  } catch {
    return []; // the inputs were moved, or come from somewhere else
  }
}

function numberOf(path: string): number {
  return SEGMENT.test(basename(path)) ? Number.parseInt(basename(path), 10) : 0;
}
