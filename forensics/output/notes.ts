import { counted } from '../../record/describe.ts';
import { visible } from '../../record/visible.ts';
import type { Journals } from '../journals.ts';

/** Writes to stderr what is missing in the answer: lines that cannot be read, and their places. */
export async function printNotes(
  journals: Journals,
  ...more: (string | undefined)[]
): Promise<void> {
  const further = more.filter((note) => note !== undefined).map(visible);
  for (const note of [...(await notesOf(journals)), ...further])
    process.stderr.write(`vcml: ${note}\n`);
}

/** Returns the same as visible texts. */
export async function notesOf(journals: Journals): Promise<string[]> {
  const skipped = journals.extents.flatMap(({ skipped: count }, index) => {
    const path = journals.files[index]?.path ?? '';
    return count === 0
      ? []
      : [
          `${path}: skipped ${counted(count, 'line')} that cannot be read; \`vcml audit\` lists them`,
        ];
  });
  const damaged = journals.damaged.map(
    (path) => `${path}: the compressed file is damaged and cannot be read`,
  );
  return [...journals.notes, ...damaged, ...skipped].map(visible);
}
