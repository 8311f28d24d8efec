/** An error that says in one line what went wrong, with the HTTP status if there was one. */
export class RequestError extends Error {
  readonly statusCode: number | undefined;

  constructor(message: string, statusCode?: number, options?: ErrorOptions) {
    super(statusCode === undefined ? message : `HTTP ${statusCode}: ${message}`, options);
    this.statusCode = statusCode;
  }

  /** Makes one of an answer that is a refusal. */
  static refusal(status: number, { message = 'no message' }: { message?: string }): RequestError {
    return new RequestError(message, status);
  }

  /** Makes one of anything that was thrown, and of a Status that a watch brings. */
  static of(error: unknown): RequestError {
    if (error instanceof RequestError) return error;
    const { code, message } = (error ?? {}) as { code?: unknown; message?: string };
    const status = typeof code === 'number' ? code : undefined;
    // Where no address of a name could be reached, Node's error has a code and no message.
    return new RequestError(message || String(code ?? error), status, { cause: error });
  }
}
