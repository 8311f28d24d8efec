import { contentOf, isWitnessed } from '../audit/checkpoints/content.ts';
import type { Witness } from '../audit/checkpoints/witness.ts';
import type { CheckpointLine } from './checkpoint-line.ts';

/**
 * Says what a witness has in the place of a checkpoint. A record that left its node may have more in its
 * resource than the line in the journal.
 */
export function compareWith(
  witness: Witness,
  { epoch, size, host, root, json }: CheckpointLine,
): 'same' | 'other root' | 'other line' | 'none' {
  const known = witness.epochs.get(epoch)?.get(size);
  if (known === undefined) return 'none';
  if (known.checkpoint.root !== root.toString('base64')) return 'other root';
  const isSame =
    known.checkpoint.host === host && isWitnessed(contentOf(json), contentOf(known.record));
  return isSame ? 'same' : 'other line';
}
