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
): 'same' | 'contradicted' | 'other root' | 'other line' | 'none' {
  const known = witness.epochs.get(epoch)?.get(size);
  if (known === undefined) return 'none';
  if (witness.isContradicted(known)) return 'contradicted';
  if (known.checkpoint.root !== root.toString('base64')) return 'other root';
  const isSame = known.checkpoint.host === host && isWitnessed(contentOf(json), known.content);
  return isSame ? 'same' : 'other line';
}

/** Says that a checkpoint is contradicted. */
export function contradictionInWords({
  epoch,
  size,
}: Pick<CheckpointLine, 'epoch' | 'size'>): string {
  return `somebody sent a forged checkpoint: the witness has two different ones for the place ${size} of the epoch ${epoch}, and which one is genuine cannot be said here`;
}
