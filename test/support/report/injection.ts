import type { Page } from 'playwright-core';

/** What became of scripts, markup and a request that were put into a page. */
interface Outcome {
  /** Whether the page refused them. */
  readonly refused: boolean;
  /** Whether one of them ran. */
  readonly owned: boolean;
  readonly fetched: string;
}

/** Puts scripts, markup and a request into a page, as hostile text could if it were not only text. */
export function injectInto(page: Page): Promise<Outcome> {
  return page.evaluate(async () => {
    const script = document.createElement('script');
    let refused = '';
    try {
      script.text = 'window.owned = 1';
      document.body.append(script);
      document.body.innerHTML = '<img src=x onerror="window.owned=1">';
    } catch (error) {
      refused = String(error);
    }
    const fetched = await fetch('data:,x').then(
      () => 'fetched',
      () => 'refused',
    );
    return { refused: refused !== '', owned: 'owned' in window, fetched };
  });
}
