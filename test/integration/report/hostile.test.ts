import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { ReportRecord } from '../../../forensics/report/render.ts';
import { ReportBrowser, textOf } from '../../support/report/browser.ts';
import { exec, idOf, inputOf, loss } from '../../support/report/incident.ts';
import { injectInto } from '../../support/report/injection.ts';

let browser: ReportBrowser;
before(async () => {
  browser = await ReportBrowser.launch();
});
after(() => browser.close());

const ATTACKS = [
  '<script>window.owned=1;alert(1)</script>',
  '</script><script>window.owned=1</script>',
  '<!--<script>',
  ']]><img src=x onerror=window.owned=1>',
  '"><svg onload=window.owned=1>',
  "'-alert(1)-'",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: an attack on template literals
  '${window.owned=1}`;window.owned=1;`',
  'javascript:window.owned=1',
  '{{constructor.constructor("window.owned=1")()}}',
  '$& $1 $` <!--script--> <!--data-->',
  '<meta http-equiv=refresh content="0;url=http://127.0.0.1:9/">',
  '<link rel=stylesheet href=http://127.0.0.1:9/x.css>',
  '<base href=http://127.0.0.1:9/><iframe src=http://127.0.0.1:9/></iframe>',
  '<style>*{display:none}</style>',
  '&lt;b&gt;&#x3c;',
  '__proto__',
  '\u2028window.owned=1\u2029',
] as const;

/** Texts that would look like another, each with what must be shown instead. */
const DISGUISES: readonly (readonly [text: string, seen: string])[] = [
  ['a\u202egpj.exe', 'a\\u{202e}gpj.exe'],
  ['\u2066x\u2069\u200f', '\\u{2066}x\\u{2069}\\u{200f}'],
  ['zero\u200bwidth\ufeff', 'zero\\u{200b}width\\u{feff}'],
  ['\x1b[2J\x07\x00', '\\x1b[2J\\x07\\x00'],
  ['line\nfeed\r', 'line\\nfeed\\x0d'],
  ['no\u00a0break\u3000', 'no\\u{a0}break\\u{3000}'],
  ['tag\u{e0041}', 'tag\\u{e0041}'],
  ['half\ud800', 'half\\u{d800}'],
  ['c1\u0085\u009b', 'c1\\u{85}\\u{9b}'],
];

/** Returns a record that has a text in every place that can hold one. */
function everywhere(n: number, text: string): ReportRecord {
  const record = exec(n, {
    object: text,
    args: [text, text],
    resource: { 'k8s.namespace.name': text, 'k8s.pod.name': text, [text]: text },
    attributes: {
      'vcml.gap.reason': text,
      'vcml.gap.ancestor.comm': text,
      'vcml.entry': text,
      'process.working_directory': text,
      [text]: { [text]: [text] },
    },
  });
  return { ...record, id: n % 2 === 0 ? `${idOf(n)}${text}` : idOf(n) };
}

function inputWith(texts: readonly string[]) {
  const records = texts.map((text, n) => everywhere(n, text));
  const all = texts.join(' ');
  return inputOf(records, {
    title: all,
    selection: all,
    generatedFrom: {
      inputs: [{ path: all, records: records.length, skippedLines: 1 }],
      warnings: [all],
    },
    notes: new Map(texts.map((text, n) => [n, [text]])),
  });
}

test('the content of a record neither runs, loads nor becomes markup, and all of it is shown', async () => {
  const clean = await browser.open(inputWith(['plain', 'words']));
  const elements = await clean.evaluate(
    () => document.querySelectorAll('script, style, meta').length,
  );
  const page = await browser.open(inputWith(ATTACKS));
  for (const [n, attack] of ATTACKS.entries()) {
    await page.locator(`[data-record="${n}"]`).click();
    const seen = attack.replaceAll(
      /[\u2028\u2029]/g,
      (c) => `\\u{${c.charCodeAt(0).toString(16)}}`,
    );
    const shown = await page.locator('#details tr', { hasText: 'process.working_directory' });
    assert.equal(await shown.locator('td').textContent(), seen);
    await page.getByLabel('Search').fill(attack);
    await page.getByLabel('Search').fill('');
  }
  assert.equal(
    await page.evaluate(() => document.querySelectorAll('script, style, meta').length),
    elements,
  );
  assert.equal(await page.locator('svg, img, iframe, base, link, b').count(), 0);
  assert.equal(await page.evaluate(() => 'owned' in window), false);
  assert.deepEqual(browser.misdeeds, []);
});

test('control characters, overrides and invisible characters are shown as escapes', async () => {
  const page = await browser.open(inputWith(DISGUISES.map(([text]) => text)));
  for (const [n, [, seen]] of DISGUISES.entries()) {
    const row = page.locator(`[data-record="${n}"]`);
    await row.click();
    assert.ok((await row.locator('.command').textContent())?.includes(seen), seen);
    assert.ok((await textOf(page, '#details'))?.includes(seen), seen);
  }
  const everything = await textOf(page, 'html:has(main)');
  const shown = everything.slice(0, everything.indexOf('{"title"'));
  assert.doesNotMatch(shown, /(?![ \n])[\p{Cc}\p{Cf}\p{Cs}\p{Z}]/u);
  assert.deepEqual(browser.misdeeds, []);
});

test('the report opens and shows each record, whatever type a field has', async () => {
  const odd: readonly unknown[] = [
    null,
    true,
    -1,
    1.5,
    1e300,
    12345678901234567890123456789n,
    '',
    [],
    {},
    [[]],
    { toString: 1, valueOf: null, toJSON: 'x', __proto__: null },
    [{ toString: 1 }],
    JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`),
    JSON.parse('{"__proto__":{"a":1},"constructor":1}'),
  ];
  const fields = Object.keys(exec(0));
  const records: ReportRecord[] = fields.flatMap((field) =>
    odd.map((value, n) => ({ ...exec(n), [field]: value })),
  );
  for (const value of odd)
    records.push(
      { ...exec(0), actor: { pid: value, uid: value, comm: value } },
      exec(0, {
        attributes: {
          'process.command_args': value,
          'process.executable.path': value,
          'vcml.gap.reason': value,
          'vcml.entry': value,
        },
        resource: { 'k8s.pod.name': value, 'k8s.namespace.name': value },
      }),
      { ...loss(0, 1), attributes: { 'vcml.loss.count': value, 'vcml.loss.stage': value } },
      {},
    );
  const page = await browser.open(inputOf(records));
  await page.locator('#order').selectOption('time');
  await page.getByRole('treeitem').first().focus();
  for (let n = 1; n < records.length; n++) await page.keyboard.press('ArrowDown');
  assert.equal(await page.locator(':focus').getAttribute('data-record'), `${records.length - 1}`);
  await page.getByLabel('Search').fill('nested more than 64 deep');
  assert.notEqual(await textOf(page, '#status'), `0 records of ${records.length}`);
  assert.deepEqual(browser.misdeeds, []);
});

test('the file is also safe to read in an editor', () => {
  const texts = [...ATTACKS, ...DISGUISES.map(([text]) => text)];
  const html = readFileSync(browser.write(inputWith(texts)), 'utf8');
  const data = html.slice(html.indexOf('{"title"')).split('</script>\n')[0] ?? '';
  assert.equal(JSON.parse(data).rows.length, texts.length);
  assert.doesNotMatch(data, /[<>&]/);
  assert.doesNotMatch(data, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
  assert.equal(html.match(/<script/g)?.length, 2);
});

test('even injected markup could not run, because the policy allows only the script of the page', async () => {
  const page = await browser.open(inputOf([exec(0)]));
  const before = browser.misdeeds.length;
  const outcome = await injectInto(page);
  assert.deepEqual(outcome, { refused: true, owned: false, fetched: 'refused' });
  browser.misdeeds.splice(before);
});
