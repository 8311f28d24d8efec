import { byId } from '../../report/page/dom.ts';
import type { Summary } from './answers.ts';
import { Asker, Refusal } from './ask.ts';
import { placeOf } from './place.ts';
import { ServedPage } from './served-page.ts';
import { showSummary } from './summary.ts';
import { askForToken, findToken } from './token.ts';

void start();

async function start(): Promise<void> {
  try {
    await findToken();
    const summary = await firstSummary();
    if (summary === undefined) return;
    showSummary(summary);
    new ServedPage(summary).show(placeOf(location.hash));
  } catch (error) {
    const problem = byId('problem', HTMLElement);
    problem.textContent = error instanceof Error ? error.message : String(error);
  }
}

/** Asks what the page is about, and for the token until it is the right one. */
async function firstSummary(): Promise<Summary | undefined> {
  for (;;)
    try {
      return await new Asker().ask<Summary>('/api/summary');
    } catch (error) {
      if (!(error instanceof Refusal) || !error.isUnauthorized) throw error;
      await askForToken(error.message);
    }
}
