import type { CheckpointWriter } from './checkpoint.ts';
import type { Session } from './session.ts';

/**
 * Ends a session, whose hook is kept or detached: everything that was accepted goes to disk first.
 * Returns the names of what was removed from the kernel; undefined: the journal does not take what
 * there is, and the hook stays and keeps it.
 */
export function endSession(
  session: Session,
  checkpoint: CheckpointWriter,
  hookState: 'kept' | 'detached',
): readonly string[] | undefined {
  const { hook, recorder, lineage } = session;
  recorder.addKernelMisses();
  if (!recorder.flush()) return undefined;
  if (hookState === 'detached') {
    hook.disarm();
    if (!recorder.flush()) return undefined;
  }
  if (!recorder.finish((now) => lineage.stop(hookState, now))) return undefined;
  checkpoint.end(hookState);
  return hookState === 'detached' ? hook.detach() : [];
}
