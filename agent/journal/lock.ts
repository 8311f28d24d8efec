import { readFileSync, readlinkSync, renameSync, rmSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { readBootId } from '../../record/ids.ts';
import { AgentError } from '../errors.ts';

/**
 * Locks a journal for its only writer; returns what unlocks it. The lock is a symbolic link without
 * a target that names the process, its start and the boot: a link appears at once with its whole
 * content, also on a full disk.
 */
export async function lockJournal(dir: string): Promise<() => void> {
  const file = join(dir, 'lock');
  const own = `${process.pid} ${startOf(process.pid)} ${readBootId()}`;
  for (let attempt = 0; attempt < 3; attempt++) {
    if (await tryLink(own, file)) return () => removeLock(file, own);
    const found = readLock(file);
    const holder = liveHolder(found);
    if (holder !== undefined) throw new AgentError('JOURNAL_BUSY', { path: dir, pid: holder });
    removeLock(file, found);
  }
  throw new AgentError('JOURNAL_LOCK_FAILED', { path: dir });
}

/** Returns the process that writes the journal: the one that the lock names, if it still runs. */
export function journalHolder(dir: string): number | undefined {
  return liveHolder(readLock(join(dir, 'lock')));
}

async function tryLink(target: string, file: string): Promise<boolean> {
  try {
    await symlink(target, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readLock(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined; // it does not exist, or is something else
  }
}

/**
 * Removes the lock with the content `found`. Restores a lock that has replaced it in the meantime.
 */
function removeLock(file: string, found: string | undefined): void {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (readLock(aside) === found) rmSync(aside, { force: true });
  else renameSync(aside, file);
}

function liveHolder(lock: string | undefined): number | undefined {
  const [pid, start, boot] = lock?.split(' ') ?? [];
  try {
    return boot === readBootId() && startOf(Number(pid)) === start ? Number(pid) : undefined;
  } catch {
    return undefined; // the process has ended
  }
}

/** Returns the start of a process in clock ticks since boot; undefined for a zombie. */
function startOf(pid: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name before may hold anything. The state is the third field, and the start the 22nd.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}
