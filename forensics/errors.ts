/** Exit codes of `vcml`; grep for the name. */
export const EXIT = {
  /** the record does not exist, or `audit` has findings */
  negative: 1,
  /** an input cannot be read, or there is none */
  unreadable: 2,
  /** the answer is not from everything, because a part of the inputs cannot be read */
  partial: 3,
  usage: 64,
  bug: 70,
  /** the answer, or a temporary file, cannot be written */
  unwritable: 73,
} as const;

/** An error that the user can mend, with one sentence and an exit code. */
export class ForensicsError extends Error {
  override readonly name = 'ForensicsError';
  readonly exitCode: number;

  constructor(kind: keyof typeof EXIT, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = EXIT[kind];
  }
}
