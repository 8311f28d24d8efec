import { visible } from '../../record/visible.ts';
import type { Journals } from '../journals.ts';
import { remark } from '../output/stderr.ts';
import type { Times } from '../select/filter.ts';

/** The table that Graph.load() makes. */
export const LINKS = 'links';

/** Says at the end of an answer how complete the memory is that it comes from. */
export function concluding(asked: Times, scanned: string): (journals: Journals) => Promise<void> {
  return async (journals) => {
    const { completenessIn } = await import('../completeness/files.ts');
    remark(visible(await completenessIn(journals, asked, scanned)));
  };
}
