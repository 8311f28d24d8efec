import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError } from '../errors.ts';
import { lockJournal } from './lock.ts';

const OWN = /^(\d{20}\.jsonl(\.zst(\.tmp)?)?|(state|deletions)\.json(\.tmp)?)$/;

/**
 * Deletes a journal that is closed: the oldest segments first, then what else it keeps in its folder,
 * `others` by name, and the folder when nothing is left in it. What has another name stays, and so
 * does all that is no plain file. Returns the names of what stays; throws JOURNAL_BUSY when another
 * agent writes here by now, and what the file system says.
 */
export function deleteJournal(dir: string, others: readonly string[]): string[] {
  if (!lstatSync(dir).isDirectory()) throw new AgentError('JOURNAL_REPLACED', { path: dir });
  const unlock = lockJournal(dir);
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
