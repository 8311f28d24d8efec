import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
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

/**
 * Signs checkpoints with the key in a file. With each, it reads the file again for the next one: keys are
 * replaced in place, and nothing may wait for a disk.
 */
export class CheckpointKey {
  readonly #file: string;
  readonly #host: string;
  readonly #onProblem: (error: AgentError) => void;
  #key: KeyObject;
  #reading: Promise<void> | undefined;

  /**
   * Throws CHECKPOINT_KEY_INVALID. Later, a bad file is passed to `onProblem`, and the key before is
   * used.
   */
  constructor(file: string, host: string, onProblem: (error: AgentError) => void) {
    this.#file = file;
    this.#host = host;
    this.#onProblem = onProblem;
    this.#key = parse(file, () => readFileSync(file));
    this.publicKey();
  }

  /** Returns the signed note of a checkpoint. */
  sign({ epoch, size, root }: { epoch: string; size: number; root: string }): string {
    void this.refresh();
    return signNote(this.#key, keyName(this.#host), noteBody(this.#host, epoch, size, root));
  }

  /** Reads the file again; resolves when that has ended. */
  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    try {
      const text = await readFile(this.#file);
      this.#key = parse(this.#file, () => text);
    } catch (error) {
      this.#onProblem(error instanceof AgentError ? error : invalid(this.#file, error));
    }
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

function parse(file: string, text: () => Buffer): KeyObject {
  try {
    return readSigningKey(text());
  } catch (error) {
    throw invalid(file, error);
  }
}

function invalid(file: string, error: unknown): AgentError {
  return new AgentError('CHECKPOINT_KEY_INVALID', { file, reason: (error as Error).message });
}
