import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError } from '../errors.ts';
import { lockJournal } from './lock.ts';

const OWN =
  /^(\d{20}\.(jsonl(\.zst(\.tmp)?)?|index(\.tmp)?)|((state|checkpoint)\.json|deletions\.json(\.reserve)?)(\.tmp)?)$/;

/**
 * Deletes a closed journal: the oldest segments first, then its other files and those named in
 * `others`, and then the folder if it is empty. Files with other names stay, and so does everything
 * that is not a plain file. Returns the names of what stays. Throws JOURNAL_BUSY if another agent
 * writes to the journal, and the errors of the file system.
 */
export async function deleteJournal(dir: string, others: readonly string[]): Promise<string[]> {
  if (!lstatSync(dir).isDirectory()) throw new AgentError('JOURNAL_REPLACED', { path: dir });
  const unlock = await lockJournal(dir);
  try {
    const ours = readdirSync(dir, { withFileTypes: true })
      .filter((entry) => entry.isFile() && (OWN.test(entry.name) || others.includes(entry.name)))
      .map(({ name }) => name);
    for (const name of ours.sort()) unlinkSync(join(dir, name));
  } finally {
    unlock();
  }
  const left = readdirSync(dir);
  if (left.length === 0) rmdirSync(dir);
  return left;
}
