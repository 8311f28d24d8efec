import { statSync } from 'node:fs';
import { join } from 'node:path';
import { ReportBrowser } from '../../test/support/report/browser.ts';
import type { Bed } from '../bed/bed.ts';
import type { Figure } from '../budgets.ts';
import { spreadOf } from '../statistics.ts';
import { decimal, spreadText } from '../table.ts';
import { runVcml } from './run.ts';

const RECORDS = 50_000;
const ROUNDS = 5;

/** Measures how long headless Chromium takes to open a large report and show its records. */
export async function measureReport(bed: Bed, journal: string): Promise<Figure> {
  const file = join(bed.directory, 'report.html');
  const made = await runVcml(['report', '--limit', `${RECORDS}`, '-o', file, journal]);
  const browser = await ReportBrowser.launch();
  const close = bed.cleanup.add(() => browser.close());
  const seconds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now();
    const page = await browser.openFile(file);
    seconds.push((performance.now() - began) / 1000);
    await page.context().close();
  }
  await close();
  if (browser.misdeeds.length > 0) throw new Error(browser.misdeeds.join('\n'));
  const found = spreadOf(seconds);
  const size = `${decimal(statSync(file).size / 1e6)} MB, made in ${decimal(made.seconds)} s`;
  return {
    what: `a report of ${RECORDS} records opens in Chromium`,
    value: found.median,
    unit: 's',
    digits: 2,
    budget: 2,
    more: `${spreadText(found, 2)}; ${size}`,
  };
}
