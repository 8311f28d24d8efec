import { setTimeout as pause } from 'node:timers/promises';
import {
  agreeing,
  loadSnapshot,
  type Snapshot,
  saveSnapshot,
  snapshotProcesses,
} from '../source/ancestors.ts';
import type { Hook } from '../source/hook.ts';

/** In the journal's folder: the processes that were there before the hook. */
export const SNAPSHOT_FILE = 'ancestors.json';
/** A little more than the kernel side takes between the arming and its moment. */
const ARMING_MS = 3;

/** A hook that records, and the processes that were there before it. */
export interface Armed {
  readonly hookId: string;
  readonly snapshot: Snapshot;
}

/** Starts a new hook between two looks at the processes that there are, which `file` keeps for later runs. */
export async function arm(hook: Hook, file: string): Promise<Armed> {
  if (hook.state !== 'attached') {
    const hookId = hook.arm().toString();
    return { hookId, snapshot: loadSnapshot(file, hookId) };
  }
  const before = snapshotProcesses();
  const hookId = hook.arm().toString();
  await pause(ARMING_MS);
  const snapshot = agreeing(before, snapshotProcesses());
  saveSnapshot(file, hookId, snapshot);
  return { hookId, snapshot };
}
