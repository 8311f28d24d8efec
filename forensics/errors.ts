/** Exit codes of `vcml`; grep for the name. */
export const EXIT = {
  /** what was asked for is not there, or `audit` has findings */
  negative: 1,
  /** no input could be read */
  unreadable: 2,
  usage: 64,
  bug: 70,
} as const;

/** An error that the user can do something about: one sentence, and an exit code. */
export class ForensicsError extends Error {
  override readonly name = 'ForensicsError';
  readonly exitCode: number;

  constructor(kind: keyof typeof EXIT, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = EXIT[kind];
  }
}
