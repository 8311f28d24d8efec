import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { type Answers, compressedName, type Found, findFiles, type Problem } from './find.ts';
import { Source } from './source.ts';
import type { Temporary } from './temporary.ts';

const COMPARED_BYTES = 1 << 20;

/** What paths name: what can be read, what cannot, and remarks. */
export interface Inputs {
  readonly sources: Source[];
  readonly problems: Problem[];
  readonly notes: string[];
}

/** Opens every input that can be read, each file once. */
export async function openInputs(
  named: readonly string[] | Answers,
  temporary: Temporary,
): Promise<Inputs> {
  const { found, problems, notes } = 'found' in named ? structuredClone(named) : foundAt(named);
  const inputs: Inputs = { sources: [], problems, notes };
  const byName = new Map(found.map((one) => [one.real, one]));
  const opened = new Set<Found>();
  const take = async (one: Found): Promise<void> => {
    if (opened.has(one)) return;
    opened.add(one);
    const compressed = one.real === undefined ? undefined : byName.get(compressedName(one.real));
    if (compressed !== undefined) {
      await take(compressed);
      // Both forms are there while a segment is compressed, and they are the same.
      const other = inputs.sources.find(({ path }) => path === compressed.path);
      if (other !== undefined && other.damage.length === 0) return;
      if (other !== undefined) {
        inputs.sources.splice(inputs.sources.indexOf(other), 1);
        inputs.notes.push(`${compressed.path}: damaged; the plain form is read`);
      }
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

function foundAt(paths: readonly string[]): Answers {
  return { ...findFiles(paths), notes: [] };
}

/** Drops files that are byte by byte the same as one of another journal, as after overlapping pulls. */
async function withoutCopies(sources: readonly Source[], notes: string[]): Promise<Source[]> {
  const bySize = new Map<number, Source[]>();
  const kept: Source[] = [];
  for (const source of sources) {
    const { size } = statSync(source.original);
    const others = bySize.get(size) ?? [];
    bySize.set(size, others);
    let first: Source | undefined;
    for (const other of others)
      if (
        other.journal !== source.journal &&
        other.form === source.form &&
        (await isSame(other.original, source.original))
      )
        first ??= other;
    if (first !== undefined && size > 0) {
      notes.push(`${source.path}: the same as ${first.path}, and counts once`);
      continue;
    }
    others.push(source);
    kept.push(source);
  }
  return kept;
}

/** Compares two files of the same size. */
async function isSame(one: string, other: string): Promise<boolean> {
  const files = [await open(one), await open(other)] as const;
  try {
    const buffers = files.map(() => Buffer.allocUnsafeSlow(COMPARED_BYTES));
    for (let at = 0; ; ) {
      const [a, b] = await Promise.all(
        files.map(async (file, index) => {
          const buffer = buffers[index] ?? Buffer.alloc(0);
          const { bytesRead } = await file.read(buffer, 0, COMPARED_BYTES, at);
          return buffer.subarray(0, bytesRead);
        }),
      );
      if (a === undefined || b === undefined || !a.equals(b)) return false;
      if (a.length === 0) return true;
      at += a.length;
    }
  } finally {
    await Promise.all(files.map((file) => file.close()));
  }
}
