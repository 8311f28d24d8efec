import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
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
  const unread = new Set(journals.problems.map(({ path }) => basename(path).slice(0, 20)));
  return [...byFolder].map(([folder, segments]) => {
    segments.sort((a, b) => a.number - b.number);
    const isExplained = (number: number) => unread.has(nameOf(number)) || isThere(folder, number);
    const last = segments.at(-1)?.number ?? 0;
    const path = segments.length === 1 ? (segments[0]?.path ?? folder) : folder;
    return { path, isCutOff: isThere(folder, last + 1), ...historyOf(segments, isExplained) };
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

/** Whether the folder has a segment, be it an input or not. */
function isThere(folder: string, number: number): boolean {
  const path = join(folder, `${nameOf(number)}.jsonl`);
  return existsSync(path) || existsSync(compressedName(path));
}

function nameOf(number: number): string {
  return `${number}`.padStart(20, '0');
}

function numberOf(path: string): number {
  return SEGMENT.test(basename(path)) ? Number.parseInt(basename(path), 10) : 0;
}
