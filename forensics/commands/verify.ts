import { existsSync, readFileSync } from 'node:fs';
import { readVerifierKey } from '../../record/tree/note.ts';
import type { Witness } from '../audit/checkpoints/witness.ts';
import { ForensicsError } from '../errors.ts';
import { checkProof, checkSigned, type Proved } from '../evidence/check-proof.ts';
import { Refused } from '../evidence/proof-text.ts';
import { statementOf } from '../evidence/statement.ts';
import { compareWith, contradictionInWords } from '../evidence/witnessed.ts';
import { flush, print } from '../output/stdout.ts';
import type { ConnectionOptions } from '../store/connect.ts';

/** The options of `vcml verify`. */
export interface VerifyOptions extends ConnectionOptions {
  readonly witness?: readonly string[];
  /** a verifier key, or the file that has it */
  readonly key?: string;
}

/** Checks a proof, and prints what it proves; throws if it does not hold. */
export async function verify(
  path: string,
  { key: given }: VerifyOptions,
  witness: Witness | undefined,
): Promise<number> {
  const key = given === undefined ? undefined : keyIn(given);
  const file = contentOf(path);
  try {
    const proved = await checkProof(file);
    const signature = signatureInWords(proved, key);
    const compared = comparedInWords(proved, witness);
    const isConfirmed = (key ?? witness) !== undefined;
    await print(`${statementOf(proved, isConfirmed)}note: ${signature}\nwitness: ${compared}\n`);
    await flush();
    return 0;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    throw new ForensicsError('negative', `${path} proves nothing: ${error.message}`);
  }
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new ForensicsError('unreadable', `${path}: ${(cause as Error).message}`, { cause });
  }
}

/** Returns a verifier key, given or in a file. */
function keyIn(given: string): string {
  const isFile = existsSync(given);
  const key = isFile ? `${contentOf(given)}` : given;
  try {
    readVerifierKey(key);
    return key;
  } catch (cause) {
    const noFile = isFile ? '' : ', and no file has this name';
    throw new ForensicsError('usage', `--key: ${(cause as Error).message}${noFile}`, { cause });
  }
}

function signatureInWords({ anchor }: Proved, key: string | undefined): string {
  if (key === undefined)
    return anchor.note === undefined
      ? 'the checkpoint is not signed'
      : 'the checkpoint is signed; the signature was not checked: add --key';
  checkSigned(anchor, key);
  return `signed with the key ${key.trim()}`;
}

function comparedInWords({ anchor }: Proved, witness: Witness | undefined): string {
  if (witness === undefined)
    return 'not asked. By itself, a proof shows that its lines are under this root, and not that the node had sent this root to anybody: add --witness';
  const compared = compareWith(witness, anchor);
  if (compared === 'same') return 'has this checkpoint';
  throw new Refused(
    {
      contradicted: contradictionInWords(anchor),
      none: 'the witness does not have its checkpoint',
      'other root': 'the witness has another root for its checkpoint',
      'other line': 'the witness has another line for its checkpoint',
    }[compared],
  );
}
