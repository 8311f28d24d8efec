import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  agreeing,
  loadSnapshot,
  type Snapshot,
  saveSnapshot,
  snapshotProcesses,
} from './ancestors.ts';
import type { Hook } from './hook.ts';

/** The file with the processes that predate the hook. */
export const SNAPSHOT_FILE = 'ancestors.json';
/**
 * Slightly longer than the time between the arming and the moment when the kernel side begins to
 * record.
 */
const ARMING_MS = 3;

/** A hook that records, and the processes that predate it. */
export interface Armed {
  readonly hookId: string;
  readonly snapshot: Snapshot;
}

/**
 * Arms a new hook between two readings of the running processes; `dir` keeps these for later runs.
 */
export async function arm(hook: Hook, dir: string): Promise<Armed> {
  const file = join(dir, SNAPSHOT_FILE);
  if (hook.state !== 'attached') {
    const hookId = hook.arm().toString();
    return { hookId, snapshot: loadSnapshot(file, hookId) };
  }
  const before = snapshotProcesses();
  const hookId = hook.arm().toString();
  await pause(ARMING_MS);
  const snapshot = agreeing(before);
  await saveSnapshot(file, hookId, snapshot);
  return { hookId, snapshot };
}
