import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { textOf } from '../../record/kernel-text.ts';
import type { Ancestor, BootTime } from '../../record/types.ts';
import { readPlainFile, replaceFile } from '../files.ts';

const CLOCK_TICK_NS = 10_000_000; // USER_HZ is 100 on every kernel that this runs on
/** A longer path is unknown: others choose it, and the snapshot is kept as long as the hook. */
const PATH_BYTES_MAX = 1024;
/** The size of the snapshot as JSON. What it has no room for, the highest pids, is unknown. */
const SNAPSHOT_BYTES_MAX = 2 << 20;
/** A larger file is one of a version that kept everything. */
const FILE_BYTES_MAX = 4 << 20;

/** What /proc says of a process. */
type Process = readonly [
  startTicks: number,
  comm?: string | undefined,
  executablePath?: string | undefined,
];

/** The processes that began before the hook was armed, by pid, with their start in clock ticks. */
export interface Snapshot {
  readonly [pid: string]: Process;
}

/**
 * Reads the processes in /proc, in the order of their pids, until the snapshot is full. Processes
 * that end during the reading are left out.
 */
export function snapshotProcesses(proc = '/proc'): Snapshot {
  const snapshot: Record<string, Process> = {};
  let bytes = 0;
  for (const pid of pidsIn(proc)) {
    const process = readProcess(proc, pid);
    if (process === undefined) continue;
    bytes += Buffer.byteLength(JSON.stringify({ [pid]: process }));
    if (bytes > SNAPSHOT_BYTES_MAX) break;
    snapshot[pid] = process;
  }
  return snapshot;
}

/**
 * Keeps of a snapshot what a second reading agrees on, because a process may have executed something
 * in between. A process that has ended, or whose pid is another one's by now, stays as it was.
 */
export function agreeing(before: Snapshot, proc = '/proc'): Snapshot {
  const snapshot: Record<string, Process> = {};
  for (const [pid, process] of Object.entries(before)) {
    const [ticks, comm, path] = process;
    const now = readProcess(proc, pid);
    if (now === undefined || now[0] !== ticks) snapshot[pid] = process;
    else snapshot[pid] = [ticks, ifSame(comm, now[1]), ifSame(path, now[2])];
  }
  return snapshot;
}

function ifSame(text: string | undefined, other: string | undefined): string | undefined {
  return text === other ? text : undefined;
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
  if (typeof ticks !== 'number' || !(Math.abs(ticks - started) <= 1)) return undefined;
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

/** Loads the snapshot that was saved for this hook; empty: there is none that can be used. */
export function loadSnapshot(file: string, hookId: string): Snapshot {
  try {
    if (statSync(file).size > FILE_BYTES_MAX) return {};
    const kept = JSON.parse(readPlainFile(file));
    return kept.hookId === hookId && typeof kept.snapshot === 'object' ? (kept.snapshot ?? {}) : {};
  } catch {
    return {};
  }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Returns the pids of all processes, the lowest first. */
function pidsIn(proc: string): string[] {
  const pids = readdirSync(proc).filter((name) => /^\d+$/.test(name));
  return pids.sort((a, b) => Number(a) - Number(b));
}

/** Reads a process; undefined: it has ended. */
function readProcess(proc: string, pid: string): Process | undefined {
  try {
    const stat = readFileSync(`${proc}/${pid}/stat`);
    const open = stat.indexOf('(');
    const close = stat.lastIndexOf(')');
    // These are the fields after the name; the 22nd field of all is the start, in ticks since
    // boot.
    const ticks = Number(stat.toString('latin1', close + 2).split(' ')[19]);
    return [ticks, textOf(stat, open + 1, close), executableOf(`${proc}/${pid}/exe`)];
  } catch {
    return undefined;
  }
}

function executableOf(link: string): string | undefined {
  try {
    const path = readlinkSync(link, 'buffer');
    if (path.length > PATH_BYTES_MAX) return undefined;
    const text = textOf(path, 0, path.length);
    return text.replace(/ \(deleted\)$/, '');
  } catch {
    return undefined; // a kernel thread has no executable
  }
}
