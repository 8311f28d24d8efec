import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ReportRecord } from '../../../forensics/report/render.ts';
import { textOf } from '../../support/report/browser.ts';
import { exec, idOf } from '../../support/report/incident.ts';
import { injectInto } from '../../support/report/injection.ts';
import { Served, waitForText } from '../../support/serve/served.ts';

const ATTACKS = [
  '<script>window.owned=1;alert(1)</script>',
  ']]><img src=x onerror=window.owned=1>',
  '"><svg onload=window.owned=1>',
  "'-alert(1)-'",
  'javascript:window.owned=1',
  '<meta http-equiv=refresh content="0;url=http://127.0.0.1:9/">',
  '<base href=http://127.0.0.1:9/><iframe src=http://127.0.0.1:9/></iframe>',
  '<style>*{display:none}</style>',
  '&lt;b&gt;&#x3c;',
  '__proto__',
  '../../etc/passwd?a=b&c=d#e',
] as const;

/** Texts that would look like another, each with what must be shown instead. */
const DISGUISES: readonly (readonly [text: string, seen: string])[] = [
  ['a\u202egpj.exe', 'a\\u{202e}gpj.exe'],
  ['zero\u200bwidth\ufeff', 'zero\\u{200b}width\\u{feff}'],
  ['\x1b[2J\x07', '\\x1b[2J\\x07'],
  ['line\nfeed\r', 'line\\nfeed\\x0d'],
  ['no\u00a0break\u3000', 'no\\u{a0}break\\u{3000}'],
];

/** Returns a record that has a text in every place that can hold one. */
function everywhere(n: number, text: string): ReportRecord {
  return exec(n, {
    object: text,
    args: [text, text],
    resource: {
      'host.name': text,
      'k8s.namespace.name': text,
      'k8s.pod.name': text,
      [text]: text,
    },
    attributes: {
      'vcml.gap.reason': text,
      'vcml.gap.ancestor.comm': text,
      'vcml.entry': text,
      'process.working_directory': text,
      [text]: { [text]: [text] },
    },
  });
}

const TEXTS = [...ATTACKS, ...DISGUISES.map(([text]) => text)];

let served: Served;
before(async () => {
  served = await Served.start({
    'evil<b>.jsonl': TEXTS.map((text, n) => everywhere(n, text)),
  });
});
after(async () => {
  await served.close();
  assert.deepEqual(served.misdeeds, []);
});

test('the content of a record neither runs, loads nor becomes markup, and all of it is shown', async () => {
  const page = await served.open();
  await waitForText(page, '#list-status', RegExp(`^${TEXTS.length} records$`));
  const markup = 'script, style, meta, link';
  const elements = await page.locator(markup).count();
  for (const [n, attack] of ATTACKS.entries()) {
    await page.locator('#records [role="treeitem"]').nth(n).click();
    const shown = page.locator('#details tr', { hasText: 'process.working_directory' });
    await shown.locator('td').getByText(attack, { exact: true }).waitFor();
    await page.getByRole('link', { name: 'pod', exact: true }).click();
    await waitForText(page, '#list-status', /^1 record$/);
    await page.getByRole('link', { name: 'Tree of this record' }).click();
    await page.locator('#causes [role="treeitem"]').first().waitFor();
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByRole('link', { name: 'Records by time' }).click();
    await waitForText(page, '#list-status', RegExp(`^${TEXTS.length} records$`));
  }
  await page.getByRole('link', { name: 'What we do not know' }).click();
  await page.locator('#unknown-table td').first().waitFor();
  assert.equal(await page.locator(markup).count(), elements);
  assert.equal(await page.locator('svg, img, iframe, base, b').count(), 0);
  assert.equal(await page.evaluate(() => 'owned' in window), false);
});

test('control characters, overrides and invisible characters are shown as escapes', async () => {
  const page = await served.open();
  await waitForText(page, '#list-status', RegExp(`^${TEXTS.length} records$`));
  for (const [n, [, seen]] of DISGUISES.entries()) {
    const row = page.locator('#records [role="treeitem"]').nth(ATTACKS.length + n);
    await row.click();
    await waitForText(page, '#details tr', /process\.working_directory/);
    await page.locator('#details td').getByText(seen, { exact: true }).first().waitFor();
    assert.ok((await row.locator('.command').textContent())?.includes(seen), seen);
  }
  await page.locator('#filters #pod').focus();
  await page.locator('#pod-values option').first().waitFor({ state: 'attached' });
  const offered = await page
    .locator('#pod-values option')
    .evaluateAll((all) =>
      all.map((one) => `${one.getAttribute('value')} ${one.getAttribute('label')}`),
    );
  assert.equal(offered.length, TEXTS.length);
  await page.getByRole('link', { name: 'What we do not know' }).click();
  await page.locator('#unknown-table td').first().waitFor();
  const titles = await page.locator('#unknown-table td').evaluateAll((all) => {
    return all.map((one) => one.getAttribute('title')).join(' ');
  });
  const everything = [...offered, titles, await textOf(page, 'html:has(main)')].join(' ');
  assert.doesNotMatch(everything, /(?![ \n])[\p{Cc}\p{Cf}\p{Cs}\p{Z}]/u);
});

test('a value with characters of patterns or invisible ones is suggested as a pattern that finds it', async () => {
  const page = await served.open();
  for (const [text, seen] of DISGUISES) {
    await page.locator('#filters #pod').fill('');
    await page.locator('#filters #pod').focus();
    const option = page.locator('#pod-values option').filter({ visible: false });
    const found = option.and(
      page.locator(`[label=${JSON.stringify(`${seen} (1)`).replaceAll('\\\\', '\\\\')}]`),
    );
    await found.first().waitFor({ state: 'attached' });
    await page.locator('#filters #pod').fill((await found.first().getAttribute('value')) ?? '');
    await page.locator('#filters #pod').press('Enter');
    await waitForText(page, '#list-status', /^1 record$/);
    assert.ok(text !== seen);
    await page.getByRole('button', { name: 'Clear' }).click();
  }
});

test('a hostile address is data, too', async () => {
  const hash = `#view=${encodeURIComponent(ATTACKS[0])}&pod=${encodeURIComponent(ATTACKS[1])}&x=1`;
  const page = await served.open(hash);
  await waitForText(page, '#list-status', /^1 record$/);
  assert.equal(await page.locator('#filters #pod').inputValue(), ATTACKS[1]);
  assert.equal(await page.locator('img').count(), 0);
  const other = await served.open(`#view=tree&about=${encodeURIComponent('../summary?x')}`);
  await waitForText(other, '#problem', /./);
  served.takeRefusals();
});

test('even injected markup could not run, because the policy allows only the files of the page', async () => {
  const page = await served.open(`#id=${idOf(0)}`);
  const before = served.misdeeds.length;
  const outcome = await injectInto(page);
  assert.deepEqual(outcome, { refused: true, owned: false, fetched: 'refused' });
  served.misdeeds.splice(before);
});
