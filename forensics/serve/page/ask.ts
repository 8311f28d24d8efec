import { authorization } from './token.ts';

const RETRY_MS = 1500;
const UNAUTHORIZED = 401;
const UNAVAILABLE = 503;

/** What the server answered instead of data; the message is for the reader. */
export class Refusal extends Error {
  /** whether the same question may be answered later */
  readonly isPassing: boolean;
  /** whether the page lacks the token */
  readonly isUnauthorized: boolean;

  /** `status` is that of HTTP, or 503 if there is no answer. */
  constructor(message: string, status: number, options?: ErrorOptions) {
    super(message, options);
    this.isPassing = status >= 500;
    this.isUnauthorized = status === UNAUTHORIZED;
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
  if (response.status === UNAVAILABLE) {
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    response = await send(url, signal);
  }
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok && answer !== undefined) return answer;
  const { error = `vcml serve answered with status ${response.status}` } = (answer ?? {}) as {
    error?: string;
  };
  throw new Refusal(error, response.status);
}

async function send(url: string, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, { signal, headers: { authorization: authorization() } });
  } catch (cause) {
    if (signal.aborted) throw cause;
    const why = 'vcml serve does not answer: start it again, and open the address it prints';
    throw new Refusal(why, UNAVAILABLE, { cause });
  }
}
