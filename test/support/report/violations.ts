import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** Returns what axe finds on a page, each with its element. */
export async function violations(page: Page): Promise<readonly string[]> {
  // playwright evaluates outside of the page's policy
  await page.evaluate(axe.source);
  const results = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run(document, {
      rules: { 'target-size': { enabled: true } },
    }),
  );
  return results.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`),
  );
}
