import type { Witness } from '../audit/checkpoints/witness.ts';
import { ForensicsError } from '../errors.ts';
import { checkProof } from '../evidence/check-proof.ts';
import { proveRecord, proveSelection } from '../evidence/make-proof.ts';
import { whereOf } from '../evidence/selected.ts';
import { statementOf } from '../evidence/statement.ts';
import { namedInputs } from '../inputs/named.ts';
import { flush, print } from '../output/stdout.ts';
import { writeOwnFile } from '../output/written.ts';
import { type Selection, timeRangeOf } from '../select/filter.ts';
import type { ConnectionOptions } from '../store/connect.ts';

/** The options of `vcml prove`. */
export interface ProveOptions extends Omit<Selection, 'action'>, ConnectionOptions {
  readonly out: string;
  readonly witness?: readonly string[];
}

/** Writes the proof of a record or a selection, and prints what it proves. */
export async function prove(
  inputs: readonly string[],
  id: string | undefined,
  options: ProveOptions,
  witness: Witness | undefined,
): Promise<number> {
  const { since, until } = options;
  const where = whereOf(options);
  const isSelection = Object.keys(where).length > 0 || (since ?? until) !== undefined;
  refuseUnclear(id, isSelection);
  const journal = namedInputs(inputs);
  const during = timeRangeOf(options, Date.now());
  const proof = await (id === undefined
    ? proveSelection(journal, where, during, witness)
    : proveRecord(journal, id, witness));
  // Whatever a reader of the file would refuse is refused here.
  const proved = await checkProof(proof);
  writeOwnFile(options.out, proof);
  await print(statementOf(proved, true));
  await print(`proof: ${options.out}, ${proof.length} bytes\n`);
  await flush();
  return 0;
}

function refuseUnclear(id: string | undefined, isSelection: boolean): void {
  if (id !== undefined && isSelection)
    throw new ForensicsError('usage', 'name a record or a selection, not both');
  if (id === undefined && !isSelection)
    throw new ForensicsError(
      'usage',
      'name the id of a record or a selection, such as --since and --until, and the folder of a journal',
    );
}
