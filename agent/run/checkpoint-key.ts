import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { KEYS } from '../../record/fields.ts';
import {
  keyName,
  noteBody,
  readSigningKey,
  signNote,
  verifierKey,
} from '../../record/tree/note.ts';
import type { Config } from '../config/schema.ts';
import { AgentError } from '../errors.ts';
import { hostOf } from './wiring.ts';

/** Signs checkpoints with the key in a file, which it reads again for each: keys are replaced in place. */
export class CheckpointKey {
  readonly #file: string;
  readonly #host: string;
  readonly #onProblem: (error: AgentError) => void;
  #key: KeyObject;

  /**
   * Throws CHECKPOINT_KEY_INVALID. Later, a bad file is passed to `onProblem`, and the key before is
   * used.
   */
  constructor(file: string, host: string, onProblem: (error: AgentError) => void) {
    this.#file = file;
    this.#host = host;
    this.#onProblem = onProblem;
    this.#key = read(file);
    this.publicKey();
  }

  /** Returns the signed note of a checkpoint. */
  sign({ epoch, size, root }: { epoch: string; size: number; root: string }): string {
    try {
      this.#key = read(this.#file);
    } catch (error) {
      this.#onProblem(error as AgentError);
    }
    return signNote(this.#key, keyName(this.#host), noteBody(this.#host, epoch, size, root));
  }

  /** Returns the key with which others verify the notes (C2SP's form). */
  publicKey(): string {
    try {
      return verifierKey(this.#key, keyName(this.#host));
    } catch (error) {
      throw invalid(this.#file, error);
    }
  }
}

/** Returns the key of the configuration; undefined: there is none. Throws CHECKPOINT_KEY_INVALID. */
export function checkpointKey(
  config: Config,
  onProblem: (error: AgentError) => void,
): CheckpointKey | undefined {
  const { checkpointKeyFile } = config;
  if (!checkpointKeyFile) return undefined;
  const { [KEYS.hostId]: id, [KEYS.hostName]: name } = hostOf(config);
  return new CheckpointKey(checkpointKeyFile, `${id ?? name}`, onProblem);
}

function read(file: string): KeyObject {
  try {
    return readSigningKey(readFileSync(file));
  } catch (error) {
    throw invalid(file, error);
  }
}

function invalid(file: string, error: unknown): AgentError {
  return new AgentError('CHECKPOINT_KEY_INVALID', { file, reason: (error as Error).message });
}
