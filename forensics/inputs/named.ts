import { existsSync } from 'node:fs';
import { ForensicsError } from '../errors.ts';

/** Where the agent keeps its journal unless it is configured otherwise. */
export const DEFAULT_JOURNAL = '/var/lib/vcml-agent/journal';

/** Returns the inputs, or the agent's journal if none are named; throws if it is not there. */
export function namedInputs(
  inputs: readonly string[],
  journal = DEFAULT_JOURNAL,
): readonly string[] {
  if (inputs.length > 0) return inputs;
  if (existsSync(journal)) return [journal];
  throw new ForensicsError(
    'usage',
    `name the files or folders to read, because ${journal} does not exist here`,
  );
}

/**
 * Reads `ID INPUT…`: the first word is an id if no file has that name, and if other inputs follow or
 * the agent's journal is there.
 */
export function splitId(
  given: string | undefined,
  inputs: readonly string[],
  journal = DEFAULT_JOURNAL,
): [id: string | undefined, inputs: readonly string[]] {
  const [first = '', ...rest] = inputs;
  const isInput =
    given !== undefined ||
    (rest.length === 0 && !existsSync(journal)) ||
    first === '' ||
    first === '-' ||
    existsSync(first) ||
    /[*?[/.]/.test(first);
  return isInput ? [given, inputs] : [first, rest];
}
