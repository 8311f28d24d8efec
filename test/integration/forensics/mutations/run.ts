import { audited, Folder, segment } from '../../../support/forensics.ts';
import type { Mutation } from './choose.ts';
import { mutated } from './mutate.ts';

/** What the audit says about a changed journal. */
export interface Verdict {
  readonly mutation: Mutation;
  /** the codes of the findings, without notes */
  readonly codes: readonly string[];
}

/** Runs the audit on each of the changed journals. */
export async function* verdicts(mutations: readonly Mutation[]): AsyncGenerator<Verdict> {
  const folder = new Folder();
  try {
    for (const mutation of mutations)
      yield { mutation, codes: await codesOf(folder, mutated(mutation.journal, mutation)) };
  } finally {
    folder.close();
  }
}

/** Returns the codes that the audit finds in lines, each once and without notes. */
export async function codesOf(folder: Folder, lines: readonly string[]): Promise<string[]> {
  const found = await audited(folder.journal(segment(1), lines));
  return [...new Set(found.filter(({ severity }) => severity !== 'NOTE').map(({ code }) => code))];
}
