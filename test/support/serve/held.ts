import type { Page, Route } from 'playwright-core';

/** Answers to some questions of a page, which arrive only when they are released. */
export class Held {
  /** resolves when the page has asked the first of the questions */
  readonly asked: Promise<void>;
  readonly #page: Page;
  readonly #isHeld: (url: URL) => boolean;
  readonly #routes: Route[] = [];
  readonly #onAsked: () => void;

  private constructor(page: Page, isHeld: (url: URL) => boolean) {
    this.#page = page;
    this.#isHeld = isHeld;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.asked = promise;
    this.#onAsked = resolve;
  }

  /** Holds the answers to questions whose addresses these are. */
  static async hold(page: Page, isHeld: (url: URL) => boolean): Promise<Held> {
    const held = new Held(page, isHeld);
    await page.route(isHeld, held.#take);
    return held;
  }

  /** Lets the answers arrive, as far as the page still waits for them. */
  async release(): Promise<void> {
    await this.#page.unroute(this.#isHeld, this.#take);
    await Promise.all(this.#routes.map((route) => route.continue().catch(() => {})));
  }

  readonly #take = (route: Route) => {
    this.#routes.push(route);
    this.#onAsked();
  };
}

/** Has the next question whose address this is fail, as if a store did not answer. */
export async function failOnce(page: Page, isIt: (url: URL) => boolean): Promise<void> {
  const json = { error: 'the store does not answer' };
  await page.route(isIt, (route) => route.fulfill({ status: 502, json }), { times: 1 });
}
