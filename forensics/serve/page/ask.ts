const RETRY_MS = 1500;

/** What the server answered instead of data; the message is for the reader. */
export class Refusal extends Error {
  /** whether the same question may be answered later */
  readonly isPassing: boolean;

  constructor(message: string, isPassing: boolean, options?: ErrorOptions) {
    super(message, options);
    this.isPassing = isPassing;
  }
}

/**
 * Asks the server. Returns undefined if a newer question of the same `asker` came in between; throws
 * a Refusal with the server's sentence.
 */
export class Asker {
  #abort: AbortController | undefined;

  async ask<Answer>(path: string, query = new URLSearchParams()): Promise<Answer | undefined> {
    this.stop();
    const abort = new AbortController();
    this.#abort = abort;
    const text = query.toString();
    try {
      const answer = await answerTo(text === '' ? path : `${path}?${text}`, abort.signal);
      return abort.signal.aborted ? undefined : (answer as Answer);
    } catch (error) {
      if (abort.signal.aborted) return undefined;
      throw error;
    } finally {
      if (this.#abort === abort) this.#abort = undefined;
    }
  }

  /** whether a question is open */
  get isBusy(): boolean {
    return this.#abort !== undefined;
  }

  /** Forgets the open question, if there is one; the server ends its work. */
  stop(): boolean {
    const isOpen = this.#abort !== undefined;
    this.#abort?.abort();
    this.#abort = undefined;
    return isOpen;
  }
}

async function answerTo(url: string, signal: AbortSignal): Promise<unknown> {
  let response = await send(url, signal);
  if (response.status === 503) {
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    response = await send(url, signal);
  }
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok && answer !== undefined) return answer;
  const { error = `vcml serve answered with status ${response.status}` } = (answer ?? {}) as {
    error?: string;
  };
  throw new Refusal(error, response.status >= 500);
}

async function send(url: string, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, { signal });
  } catch (cause) {
    if (signal.aborted) throw cause;
    const why = 'vcml serve does not answer: start it again, and open the address it prints';
    throw new Refusal(why, true, { cause });
  }
}
