import { counted } from '../../record/describe.ts';
import { visible } from '../../record/visible.ts';
import type { Journals } from '../journals.ts';
import { countBeyond } from '../ranges.ts';
import { remark } from './stderr.ts';

/** Places of one file that are listed. */
const DAMAGE_SHOWN = 3;

/** Writes to stderr what was left out of the answer, and what is missing in it and why. */
export async function printNotes(
  journals: Journals,
  ...more: (string | undefined)[]
): Promise<void> {
  printLines([...(await notesOf(journals)), ...more.filter((note) => note !== undefined)]);
}

/** Writes to stderr what was left out of the answer, and which inputs cannot be read at all. */
export function printRemarks(journals: Journals): void {
  printLines([...remarksOf(journals), ...problemsOf(journals)]);
}

/** Returns what was left out of the answer, and what is missing in it, as visible texts. */
export async function notesOf(journals: Journals): Promise<string[]> {
  return [...remarksOf(journals), ...problemsOf(journals), ...missingOf(journals)].map(visible);
}

function printLines(lines: readonly string[]): void {
  for (const line of lines) remark(visible(line));
}

/** Says what was left out because it is no record, or counts once. */
function remarksOf({ files, extents, notes }: Journals): string[] {
  const remarks = files.flatMap(({ path, others, foreign }, index) => {
    const again = extents[index]?.again ?? 0;
    return [
      ...(others > 0 ? [`${path}: ${counted(others, 'line')} of OTLP without logs`] : []),
      ...(foreign > 0 ? [`${path}: ${foreign} log records are no vCML records`] : []),
      ...(again > 0 ? [`${path}: ${again} records came again, and count once`] : []),
    ];
  });
  return [...notes, ...remarks, ...withheldOf(files)];
}

/** Says how many records the export kept back; each counts once, however often that was reported. */
function withheldOf(files: Journals['files']): string[] {
  const byCpu = Map.groupBy(
    files.flatMap(({ withheld }) => withheld),
    ({ key }) => key,
  );
  const count = [...byCpu.values()].reduce((sum, ranges) => sum + countBeyond(ranges, []), 0);
  return count === 0 ? [] : [`rules withheld ${counted(count, 'record')} from the export`];
}

function problemsOf({ problems }: Journals): string[] {
  return problems.map(({ path, why }) => `${path}: cannot be read: ${why}`);
}

function missingOf({ files, extents }: Journals): string[] {
  return files.flatMap(({ path, damage }, index) => {
    const { skipped = 0 } = extents[index] ?? {};
    const places = damage.slice(0, DAMAGE_SHOWN);
    const more = damage.length - places.length;
    return [
      ...places.map(({ line, why }) => `${path}: ${why}, before line ${line}`),
      ...(more > 0 ? [`${path}: damaged at ${more} more places`] : []),
      ...(skipped === 0
        ? []
        : [
            `${path}: skipped ${counted(skipped, 'line')} that cannot be read; \`vcml audit\` lists them`,
          ]),
    ];
  });
}
