/** Thrown for a name or a pattern that cannot be searched for safely. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly what: 'name' | 'pattern';
  /** the name or the pattern */
  readonly given: string;
  readonly reason: string;

  constructor(what: 'name' | 'pattern', given: string, reason: string) {
    super(`${what} "${given}": ${reason}`);
    this.what = what;
    this.given = given;
    this.reason = reason;
  }
}
