import { byId } from '../../report/page/dom.ts';
import { visible } from '../../report/page/text.ts';
import { Asker } from './ask.ts';

/** The sentence that says how complete the records of the selected nodes and times are. */
export class Completeness {
  /** the sentence about all nodes and times when the page was loaded, until another one is shown */
  #whole: string | undefined;
  readonly #sentence = byId('completeness', HTMLElement);
  readonly #asker = new Asker();

  constructor(whole: string) {
    this.#whole = whole;
    // keys must reach a sentence that scrolls
    new ResizeObserver(() => this.#makeReachable()).observe(this.#sentence);
  }

  /** Shows the sentence for nodes and times, which is empty for all. */
  async show(nodesAndTimes: URLSearchParams): Promise<void> {
    const isWhole = nodesAndTimes.toString() === '';
    const known = isWhole ? this.#whole : undefined;
    this.#whole = undefined;
    if (known !== undefined) {
      this.#say(known);
      return;
    }
    this.#say('…');
    try {
      const answer = await this.#asker.ask<{ completeness: string }>(
        '/api/completeness',
        nodesAndTimes,
      );
      if (answer !== undefined)
        this.#say(`${isWhole ? '' : 'in the nodes and times selected: '}${answer.completeness}`);
    } catch (error) {
      this.#say('not known');
      throw error;
    }
  }

  #say(text: string): void {
    this.#sentence.textContent = visible(text);
    this.#makeReachable();
  }

  #makeReachable(): void {
    if (this.#sentence.scrollHeight > this.#sentence.clientHeight) this.#sentence.tabIndex = 0;
    else this.#sentence.removeAttribute('tabindex');
  }
}
