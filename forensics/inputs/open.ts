import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { type Answers, compressedName, type Found, findFiles, type Problem } from './find.ts';
import { Source } from './source.ts';
import type { Temporary } from './temporary.ts';

const READ_BYTES = 1 << 20;

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
  const { found, problems, notes } = 'found' in named ? withPaths(named) : foundAt(named);
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
