/**
 * Marks what a part of the page shows while the answer to another question is awaited: it is dimmed,
 * and takes neither keys nor clicks.
 */
export class Stale {
  readonly #element: HTMLElement;

  /** Comes before other listeners of the element. */
  constructor(element: HTMLElement) {
    this.#element = element;
    for (const type of ['keydown', 'click', 'dblclick', 'focusin'])
      element.addEventListener(
        type,
        (event) => {
          if (this.is) event.stopImmediatePropagation();
        },
        true,
      );
  }

  get is(): boolean {
    return this.#element.hasAttribute('aria-busy');
  }

  set is(isStale: boolean) {
    if (isStale) this.#element.setAttribute('aria-busy', 'true');
    else this.#element.removeAttribute('aria-busy');
  }
}
