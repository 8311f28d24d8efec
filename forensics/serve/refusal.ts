import { EXIT, ForensicsError } from '../errors.ts';

/** A question that is not answered, with the status of HTTP and one sentence. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

const STATUS: Readonly<Record<number, number>> = {
  [EXIT.negative]: 404,
  [EXIT.usage]: 400,
  [EXIT.unreadable]: 502,
  [EXIT.partial]: 502,
};

/** Returns the refusal that an error amounts to; undefined: it is a bug. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (!(error instanceof ForensicsError)) return undefined;
  return new Refusal(STATUS[error.exitCode] ?? 500, error.message);
}
