import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { textOf } from '../../support/report/browser.ts';
import { violations } from '../../support/report/violations.ts';
import { fleet } from '../../support/serve/fleet.ts';
import { Served, waitForText } from '../../support/serve/served.ts';

const LINK = '#pod=shop%2Fcart-7d9f-x2x';

let served: Served;
before(async () => {
  served = await Served.start(fleet());
});
after(async () => {
  await served.close();
  assert.deepEqual(served.misdeeds, []);
});

const isShown = (page: Page) => waitForText(page, '#list-status', /^16 records$/);
const tokenIn = (address: string) => new URL(address).hash.replace('#token=', '');

test('the token leaves the address at once, and no request has it in its address', async () => {
  const page = await served.open();
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  // The page may have chosen its first record by now, which its address names.
  assert.match(page.url(), new RegExp(`^${served.origin}/(#id=[^&]*)?$`));
  await page.reload();
  await waitForText(page, '#list-status', /^624 records$/);
  assert.equal(page.url().includes('token'), false);
  assert.ok(asked.length > 3);
  assert.deepEqual(
    asked.filter((url) => url.includes(tokenIn(served.addressOf()))),
    [],
  );
});

test('the printed address with a place leads there', async () => {
  const page = await served.open(LINK);
  await isShown(page);
  assert.ok(page.url().startsWith(`${served.origin}/${LINK}`), page.url());
});

test('a link in another tab gets the token from a tab that has it', async () => {
  const page = await served.open();
  const other = await served.openBeside(page, LINK);
  await isShown(other);
  await other.reload();
  await isShown(other);
  // If the first one was busy, the other one has asked without a token.
  served.takeRefusals();
});

test('a tab that is busy gives the token late, and nobody is asked for it any more', async () => {
  const page = await served.open();
  const release = await page.evaluateHandle(() => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const post = BroadcastChannel.prototype.postMessage;
    BroadcastChannel.prototype.postMessage = function (message) {
      void promise.then(() => post.call(this, message));
    };
    return resolve;
  });
  const other = await served.openBeside(page, LINK);
  await waitForText(other, '#problem', /paste it here/);
  await release.evaluate((resolve) => resolve());
  await isShown(other);
  assert.equal(await textOf(other, '#problem'), '');
  await served.refused(1);
  await other.reload();
  await isShown(other);
});

test('a link without the token asks for the address or the token, and then shows its place', async () => {
  for (const given of [served.addressOf(), tokenIn(served.addressOf())]) {
    const page = await served.openWithoutToken(LINK);
    await waitForText(
      page,
      '#problem',
      /open the address that `vcml serve` printed.*paste it here/,
    );
    assert.deepEqual(await page.locator('#records .command').allTextContents(), []);
    assert.deepEqual(await violations(page), []);
    await page.getByLabel('Address or token').fill(` ${given} `);
    await page.getByLabel('Address or token').press('Enter');
    await isShown(page);
    assert.equal(await textOf(page, '#problem'), '');
    assert.ok(page.url().startsWith(`${served.origin}/${LINK}`), page.url());
  }
  await served.refused(2);
});

test('a wrong token is asked for again', async () => {
  const page = await served.openWithoutToken(LINK);
  for (const wrong of ['A'.repeat(43), '"; \u00e9', 'http://127.0.0.1:7474/#token=wrong']) {
    await page.getByLabel('Address or token').fill(wrong);
    await page.getByRole('button', { name: 'Show the records' }).click();
    // Another form took the place of the one that was sent.
    await page.getByLabel('Address or token').and(page.locator(':invalid')).waitFor();
  }
  await served.refused(4);
});

test('a page whose server was started again says so, and takes the new address', async () => {
  const page = await served.open(LINK);
  await isShown(page);
  await page.evaluate(() => {
    location.hash = `token=${'A'.repeat(43)}`;
  });
  await waitForText(page, '#problem', /that of an earlier start/);
  await page.goto(served.addressOf(LINK));
  await isShown(page);
  served.takeRefusals();
});

test('what listens on another port of the machine gets nothing of it', async (t) => {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    response.setHeader('content-type', 'text/html');
    response.end('<link rel="icon" href="data:,">');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const page = await served.open(LINK);
  await isShown(page);
  const other = await page.context().newPage();
  await other.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  assert.deepEqual(
    seen.map(({ headers }) => [headers.cookie, headers.authorization, headers.referer]),
    [[undefined, undefined, undefined]],
  );
  const kept = await other.evaluate(() => [JSON.stringify(sessionStorage), document.cookie]);
  assert.deepEqual(kept, ['{}', '']);
  assert.deepEqual(await page.context().cookies(), []);
});
