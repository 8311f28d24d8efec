/** An error whose message is one line, with the HTTP status if there was one. */
export class RequestError extends Error {
  readonly statusCode: number | undefined;

  constructor(message: string, statusCode?: number, options?: ErrorOptions) {
    super(statusCode === undefined ? message : `HTTP ${statusCode}: ${message}`, options);
    this.statusCode = statusCode;
  }

  /** Makes an error from a response that is a refusal. */
  static refusal(status: number, { message = 'no message' }: { message?: string }): RequestError {
    return new RequestError(message, status);
  }

  /** Makes an error from anything that was thrown, or from a Status in a watch. */
  static of(error: unknown): RequestError {
    if (error instanceof RequestError) return error;
    const { code, message } = (error ?? {}) as { code?: unknown; message?: string };
    const status = typeof code === 'number' ? code : undefined;
    // If no address of a name can be reached, Node's error has a code and no message.
    return new RequestError(message || String(code ?? error), status, { cause: error });
  }
}
