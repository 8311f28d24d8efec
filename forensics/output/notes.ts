import { counted } from '../../record/describe.ts';
import { visible } from '../../record/visible.ts';
import type { Journals } from '../journals.ts';

/** Says on stderr what the answer does not have: lines that could not be read, and where. */
export async function printNotes(journals: Journals): Promise<void> {
  for (const note of await notesOf(journals)) process.stderr.write(`vcml: ${note}\n`);
}

/** The same as texts, made visible. */
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
