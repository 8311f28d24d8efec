import type { CheckpointWriter } from './checkpoint.ts';
import type { Session } from './session.ts';

/**
 * Ends a session: writes everything that was accepted to disk, then keeps or detaches the hook.
 * Returns the names of what was removed from the kernel. Returns undefined if the journal could not
 * be written; then the hook stays attached and keeps the rest.
 */
export async function endSession(
  session: Session,
  checkpoint: CheckpointWriter,
  hookState: 'kept' | 'detached',
): Promise<readonly string[] | undefined> {
  const { hook, journal, recorder, lineage } = session;
  recorder.addKernelMisses();
  if (!(await recorder.flush())) return undefined;
  if (hookState === 'detached') {
    hook.disarm();
    if (!(await recorder.flush())) return undefined;
    // The kernel may have skipped some until then.
    recorder.addKernelMisses();
  }
  if (!(await recorder.finish((now) => lineage.stop(hookState, now)))) return undefined;
  await journal.seal();
  await checkpoint.end(hookState);
  return hookState === 'detached' ? hook.detach() : [];
}
