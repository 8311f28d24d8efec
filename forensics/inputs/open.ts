import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { type Answers, compressedName, type Found, findFiles, type Problem } from './find.ts';
import { readText } from './read/text.ts';
import { Source } from './source.ts';
import type { Temporary } from './temporary.ts';

const READ_BYTES = 1 << 20;

/** What paths name: what can be read, what cannot, and remarks. */
export interface Inputs {
  readonly sources: Source[];
  readonly problems: Problem[];
  readonly notes: string[];
}

/** Opens every input that can be read, each file once; says first what it has found. */
export async function openInputs(
  named: readonly string[] | Answers,
  temporary: Temporary,
  onFound?: (found: readonly Found[]) => void,
): Promise<Inputs> {
  const { found, problems, notes } = 'found' in named ? withPaths(named) : foundAt(named);
  onFound?.(found);
  const inputs: Inputs = { sources: [], problems, notes };
  const byName = new Map(found.map((one) => [one.real, one]));
  const opened = new Set<Found>();
  const take = async (one: Found): Promise<void> => {
    if (opened.has(one)) return;
    opened.add(one);
    const compressed = one.real === undefined ? undefined : byName.get(compressedName(one.real));
    if (compressed !== undefined) {
      await take(compressed);
      const other = inputs.sources.find(({ path }) => path === compressed.path);
      if (other !== undefined && !(await isPlainNeeded(one, other, inputs))) return;
    }
    try {
      const source = await Source.open(one, temporary);
      if (source !== undefined) inputs.sources.push(source);
      if (one.real === undefined && (await source?.firstLine()) === undefined)
        inputs.notes.push(`${one.path}: has no lines`);
    } catch (error) {
      problems.push({ path: one.path, why: (error as Error).message });
    }
  };
  for (const one of found) await take(one);
  return { ...inputs, sources: await withoutCopies(inputs.sources, inputs.notes) };
}

/**
 * Decides which of two forms of a segment are read: both are there while it is compressed, and then one
 * has all that the other has. A node that was set up again writes other segments under the same names.
 */
async function isPlainNeeded(plain: Found, other: Source, inputs: Inputs): Promise<boolean> {
  const isDamaged = other.damage.length > 0;
  const relation = await relationOf(plain.real ?? plain.path, other.original);
  if (relation === 'within' && !isDamaged) return false;
  if (relation === 'other') {
    const text = `${plain.path}: is another segment than ${other.path}, and both are read`;
    inputs.notes.push(text);
    return true;
  }
  inputs.sources.splice(inputs.sources.indexOf(other), 1);
  const why = isDamaged ? 'damaged' : 'only the beginning of the plain form';
  inputs.notes.push(`${other.path}: ${why}; the plain form is read`);
  return true;
}

/** Says how the text of a plain file relates to that of another file, up to a damage in that. */
async function relationOf(plain: string, other: string): Promise<'within' | 'longer' | 'other'> {
  const file = await open(plain).catch((error: NodeJS.ErrnoException) => {
    // It was compressed in the meantime.
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return 'within';
  try {
    let at = 0;
    for await (const part of readText(other)) {
      if (!Buffer.isBuffer(part)) break;
      const text = Buffer.allocUnsafe(part.length);
      const { bytesRead } = await file.read(text, 0, text.length, at);
      if (!text.subarray(0, bytesRead).equals(part.subarray(0, bytesRead))) return 'other';
      at += bytesRead;
      if (bytesRead < part.length) return 'within';
    }
    return at < (await file.stat()).size ? 'longer' : 'within';
  } finally {
    await file.close();
  }
}

function foundAt(paths: readonly string[]): Answers {
  return { ...findFiles(paths), notes: [] };
}

/** Adds the files that were named beside a question, under the names that they have now. */
function withPaths({ found, problems, notes, paths = [] }: Answers): Answers {
  const files = foundAt(paths);
  return {
    found: [...found, ...files.found],
    problems: [...problems, ...files.problems],
    notes: [...notes],
  };
}

/** Drops files that have the same bytes as one of another journal, as after overlapping pulls. */
async function withoutCopies(sources: readonly Source[], notes: string[]): Promise<Source[]> {
  const size = ({ original }: Source) => statSync(original).size;
  const bySize = Map.groupBy(sources, (source) => `${size(source)} ${source.form}`);
  const byContent = new Map<string, Source[]>();
  const kept: Source[] = [];
  for (const source of sources) {
    const key = `${size(source)} ${source.form}`;
    const alike = bySize.get(key) ?? [];
    if (!key.startsWith('0 ') && alike.some(({ journal }) => journal !== source.journal)) {
      const content = `${key} ${await digestOf(source)}`;
      const others = byContent.get(content) ?? [];
      const first = others.find(({ journal }) => journal !== source.journal);
      if (first !== undefined) {
        notes.push(`${source.path}: the same as ${first.path}, and counts once`);
        first.copies.push(source);
        continue;
      }
      byContent.set(content, [...others, source]);
    }
    kept.push(source);
  }
  return kept;
}

async function digestOf({ original }: Source): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(original, { highWaterMark: READ_BYTES }), hash);
  return hash.digest('hex');
}
