import { isArchive } from '../archive/address.ts';
import { ForensicsError } from '../errors.ts';
import { namedInputs } from '../inputs/named.ts';
import { Journals } from '../journals.ts';
import { isStore, withoutPassword } from '../store/address.ts';
import type { Opening } from './reading.ts';

/** Opens files and objects, or the journal of this node; `readsAll`: the command needs every line. */
export async function filesOf(inputs: readonly string[], readsAll = false): Promise<Opening> {
  const store = inputs.find(isStore);
  if (store !== undefined)
    throw new ForensicsError(
      'usage',
      `${withoutPassword(store)}: this command reads no store, or not beside other inputs`,
    );
  if (inputs.some(isArchive)) {
    const { openArchive } = await import('../archive/opening.ts');
    return openArchive(inputs);
  }
  return {
    open: (temporary) => Journals.open(namedInputs(inputs), undefined, temporary, readsAll),
    percentage: 0,
  };
}
