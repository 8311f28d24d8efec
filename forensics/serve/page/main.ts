import { byId } from '../../report/page/dom.ts';
import type { Summary } from './answers.ts';
import { Asker } from './ask.ts';
import { placeOf } from './place.ts';
import { ServedPage } from './served-page.ts';
import { showSummary } from './summary.ts';

void start();

async function start(): Promise<void> {
  try {
    const summary = await new Asker().ask<Summary>('/api/summary');
    if (summary === undefined) return;
    showSummary(summary);
    new ServedPage(summary).show(placeOf(location.hash));
  } catch (error) {
    const problem = byId('problem', HTMLElement);
    problem.textContent = error instanceof Error ? error.message : String(error);
  }
}
