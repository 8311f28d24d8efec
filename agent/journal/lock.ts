import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError } from '../errors.ts';

/** One writer for each journal: a file that names the process, its start and the boot. */
export function lockJournal(dir: string): () => void {
  const file = join(dir, 'lock');
  const own = `${process.pid} ${startOf(process.pid)} ${bootId()}\n`;
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, own, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 3; attempt++) {
      if (tryLink(mine, file)) return () => rmSync(file, { force: true });
      const holder = journalHolder(dir);
      if (holder !== undefined)
        throw new AgentError(
          'JOURNAL_BUSY',
          `the journal ${dir} is being written by process ${holder}; stop it or choose another --journal-dir`,
        );
      rmSync(file, { force: true });
    }
    throw new AgentError(
      'JOURNAL_BUSY',
      `the journal ${dir} could not be locked: others are trying too`,
    );
  } finally {
    rmSync(mine, { force: true });
  }
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** The process that writes the journal: the one that the lock names, if it still is that process. */
export function journalHolder(dir: string): number | undefined {
  try {
    const [pid, start, boot] = readFileSync(join(dir, 'lock'), 'utf8').trim().split(' ');
    return boot === bootId() && startOf(Number(pid)) === start ? Number(pid) : undefined;
  } catch {
    return undefined;
  }
}

/** The 22nd field of /proc/PID/stat: the start, in clock ticks since boot. */
function startOf(pid: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
