import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { type Agent, program, startAgent } from '../support/agent.ts';
import { ReportBrowser, textOf } from '../support/report/browser.ts';
import { inputOf } from '../support/report/incident.ts';

let agent: Agent;
let browser: ReportBrowser;
before(async () => {
  agent = await startAgent();
  browser = await ReportBrowser.launch();
});
after(async () => {
  await agent?.close();
  await browser?.close();
  assert.deepEqual(browser.misdeeds, []);
});

test('a report shows what the agent has just recorded with its causes, to the nanosecond', async () => {
  const override = 'gpj\u202e.exe';
  const command = `${program('noop')} in-a-report '${override}'; :`;
  execFileSync('sh', ['-c', command]);
  const child = await agent.journal.marked(`in-a-report ${override}`);
  const parent = await agent.journal.marked(`-c ${command}`);
  const records = agent.journal.lines.map((line) =>
    JSON.parse(line.replace(/"timestamp":(\d+)/, '"timestamp":"$1"')),
  );
  const page = await browser.open(inputOf(records));
  await page.getByLabel('Search').fill('in-a-report');
  const row = page.locator('.row', { hasText: 'noop in-a-report' }).last();
  assert.ok((await row.textContent())?.includes("in-a-report 'gpj\\u{202e}.exe'"));
  await row.click();
  const fields = await page.locator('#details tr').allTextContents();
  const line = agent.journal.lines.find((text) => text.includes(`{"id":"${child.id}"`)) ?? '';
  const timestamp = /"timestamp":(\d+)/.exec(line)?.[1];
  for (const field of [`id${child.id}`, `timestamp${timestamp}`, `parent_cause${parent.id}`])
    assert.ok(fields.includes(field), `${field} in ${fields.join('; ')}`);
  await page.locator('#details ol button').first().click();
  assert.match(await textOf(page, '#details table'), RegExp(`^id${parent.id}`));
  assert.match(await textOf(page, '#details ol'), /⁇ predates_hook: .+\[\d+\]/);
});
