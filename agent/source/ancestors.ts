import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { textOf } from '../../record/kernel-text.ts';
import type { Ancestor, BootTime } from '../../record/types.ts';
import { readPlainFile, replaceFile } from '../files.ts';

const CLOCK_TICK_NS = 10_000_000; // USER_HZ is 100 on every kernel that this runs on

/** The processes that began before the hook was armed, by pid, with their start in clock ticks. */
export interface Snapshot {
  readonly [pid: string]: readonly [
    startTicks: number,
    comm?: string | undefined,
    executablePath?: string | undefined,
  ];
}

/** Reads every process in /proc; processes that end during the reading are left out. */
export function snapshotProcesses(proc = '/proc'): Snapshot {
  const snapshot: Record<string, [number, string, string | undefined]> = {};
  for (const pid of readdirSync(proc)) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const stat = readFileSync(`${proc}/${pid}/stat`);
      const open = stat.indexOf('(');
      const close = stat.lastIndexOf(')');
      // These are the fields after the name; the 22nd field of all is the start, in ticks since
      // boot.
      const ticks = Number(stat.toString('latin1', close + 2).split(' ')[19]);
      snapshot[pid] = [ticks, textOf(stat, open + 1, close), executableOf(`${proc}/${pid}/exe`)];
    } catch {
      // It has ended.
    }
  }
  return snapshot;
}

/** Keeps what two snapshots agree on, because a process may have executed something in between. */
export function agreeing(before: Snapshot, after: Snapshot): Snapshot {
  return Object.fromEntries(
    Object.entries({ ...before, ...after }).map(([pid, [ticks, comm, path]]) => {
      const other = before[pid];
      if (other === undefined || other[0] !== ticks) return [pid, [ticks]];
      const same = <T>(a: T, b: T) => (a === b || after[pid] === undefined ? b : undefined);
      return [pid, [ticks, same(comm, other[1]), same(path, other[2])]];
    }),
  );
}

/** Finds a process by pid and start; undefined: the snapshot does not have it. */
export function ancestorOf(
  snapshot: Snapshot,
  pid: number,
  startTime: BootTime,
): Ancestor | undefined {
  const found = snapshot[pid];
  if (!Array.isArray(found)) return undefined;
  const [ticks, comm, executablePath] = found;
  const started = Math.floor((startTime.seconds * 1e9 + startTime.nanos) / CLOCK_TICK_NS);
  // The snapshot may come from a file, which may contain anything.
  if (typeof ticks !== 'number' || Math.abs(ticks - started) > 1) return undefined;
  return {
    ...(isName(comm) ? { comm } : {}),
    ...(isName(executablePath) ? { executablePath } : {}),
  };
}

/**
 * Saves a snapshot for later runs with the same hook. If it cannot be written, as on a full disk,
 * those runs do not name ancestors.
 */
export async function saveSnapshot(
  file: string,
  hookId: string,
  snapshot: Snapshot,
): Promise<void> {
  try {
    await replaceFile(file, JSON.stringify({ hookId, snapshot }), { durable: false });
  } catch {}
}

/** Loads the snapshot that was saved for this hook; empty: there is none that can be read. */
export function loadSnapshot(file: string, hookId: string): Snapshot {
  try {
    const kept = JSON.parse(readPlainFile(file));
    return kept.hookId === hookId && typeof kept.snapshot === 'object' ? (kept.snapshot ?? {}) : {};
  } catch {
    return {};
  }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function executableOf(link: string): string | undefined {
  try {
    const path = readlinkSync(link, 'buffer');
    const text = textOf(path, 0, path.length);
    return text.replace(/ \(deleted\)$/, '');
  } catch {
    return undefined; // a kernel thread has no executable
  }
}
