import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { NO_CLICKHOUSE } from '../support/clickhouse/clickhouse.ts';
import { addressOf } from '../support/clickhouse/stored.ts';
import { textOf } from '../support/report/browser.ts';
import { Served, waitForText } from '../support/serve/served.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { AGENT_IMAGES } from './agent-image.ts';
import { Cluster } from './cluster.ts';
import { NO_COLLECTOR } from './export/collector.ts';
import { passwordOf, reaches, startCollectors, startWithUsers } from './fleet.ts';
import { Release } from './helm/release.ts';
import { BUILD } from './images.ts';
import { CHILDREN, playIncident } from './incident.ts';
import { startMachine } from './machine.ts';
import { linkOutside } from './network.ts';
import { idsIn, Tutorial, unwrapped } from './tutorial.ts';

const PROGRAM = '/tmp/busybox';
const ACCOUNT = 'system:serviceaccount:shop:deployer';
const BOTH_COMPLETE = /^vcml: complete: 2 of 2 nodes$/m;

test('a new operator sets up a fleet, finds an incident, and proves where it was not', {
  skip: NO_COLLECTOR || NO_CLICKHOUSE,
}, async (t) => {
  const folder = temporaryFolder(t);
  const tutorial = new Tutorial('fleet-tutorial', folder);
  const ask = (...args: readonly string[]) => tutorial.ask(...args);
  const cluster = await Cluster.start();
  t.after(() => cluster[Symbol.asyncDispose]());
  linkOutside();
  const server = await startWithUsers(t, tutorial.page);
  const store = addressOf(server, 'vcml_reader');
  tutorial.show(store, '$STORE');
  tutorial.show(`127.0.0.1:${server.place.http}`, 'clickhouse.example:8123');
  process.env.VCML_STORE_PASSWORD = passwordOf('vcml_reader', tutorial.page);

  await t.test('the store is made by a user of its own', async () => {
    writeFileSync(join(folder, 'maker.txt'), `${passwordOf('vcml_maker', tutorial.page)}\n`);
    const maker = ['--store-password-file', 'maker.txt', addressOf(server, 'vcml_maker')];
    assert.match(await ask('store', 'init', ...maker), /^created the table records$/m);
  });

  let since = '';
  await t.test('the agents of both machines send to it', async () => {
    const writer = passwordOf('vcml_writer', tutorial.page);
    const receiver = await startCollectors(t, server, writer);
    startMachine(t, 'node-2', receiver);
    await cluster.importImages(AGENT_IMAGES);
    await new Release(cluster, 'helm').install(`config.exportEndpoint=http://${receiver}`);
    await reaches(server, 'both nodes', '(SELECT uniq(node) FROM vcml.coverage)', 2);
    const answer = await ask('gaps', '--since', '1h', store);
    const begun = [...answer.matchAll(/node-\d \(at (\S+)\)/g)].map(([, time = '']) => time);
    assert.equal(begun.length, 2, answer);
    const later = Math.max(...begun.map((time) => Date.parse(time))) + 1000;
    since = new Date(later).toISOString().replace('.000Z', 'Z');
    tutorial.show(since, '$SINCE');
  });

  const pod = await playIncident(cluster);
  const end = `${Date.now()}000000`;
  const ofLoop = '(SELECT uniqExact(id) FROM vcml.records WHERE upper_layer)';
  await reaches(server, 'the loop', ofLoop, CHILDREN + 1);
  const requests =
    "(SELECT countIf(position(Body, 'ResponseComplete') > 0) FROM vcml.kubernetes_audit)";
  await reaches(server, 'the requests', requests, 2);
  const later = `(SELECT count() FROM vcml.records WHERE node = 'node-2' AND timestamp > ${end})`;
  await reaches(server, 'later records of the other machine', later, 1);
  const times = ['--since', since];

  let child = '';
  let loop = '';
  await t.test('one program on one node is in no image', async () => {
    const sql =
      'SELECT node, pod, executable, count(*) AS n FROM execs WHERE upper_layer GROUP BY ALL';
    const answer = await ask('query', ...times, '--upper-layer', '--sql', sql, store);
    assert.match(
      unwrapped(answer),
      new RegExp(`executable n node-1 ${pod} ${PROGRAM} ${CHILDREN + 1} vcml: complete: `),
    );
    assert.match(answer, BOTH_COMPLETE);
    const first = await ask('query', ...times, '--upper-layer', '--limit', '2', store);
    [loop = '', child = ''] = idsIn(first);
    assert.match(first, new RegExp(`node-1 {2}shop/${pod}/app {2}${child}$`, 'm'));
  });

  await t.test('its chain names who may be behind it', async () => {
    const place = ['--node', 'node-1', '--audit-log', store];
    const answer = unwrapped(await ask('chain', child, ...place, store));
    const order = [`${PROGRAM} sha256sum`, `candidate: pods/exec by ${ACCOUNT}`, 'predates_hook'];
    const found = order.map((part) => answer.indexOf(part));
    assert.ok(!found.includes(-1), answer);
    assert.deepEqual(
      found,
      found.toSorted((a, b) => a - b),
    );
    assert.match(answer, new RegExp(`by ${ACCOUNT} from .*same container, same command`));
  });

  await t.test('what entered containers of all nodes is known, too', async () => {
    const answer = await ask('query', ...times, '--entry', 'exec', store);
    assert.ok(idsIn(answer).includes(loop), answer);
    assert.match(answer, BOTH_COMPLETE);
  });

  await t.test('the program ran nowhere else, and that is proven', async () => {
    const elsewhere = await ask('query', ...times, '--exe', PROGRAM, '--node', 'node-2', store);
    assert.equal(elsewhere, 'vcml: no record was found\nvcml: complete: 1 of 1 node\n');
    const work = ['--node', 'node-2', '--exe', '/bin/date', '--limit', '2'];
    assert.match(await ask('query', ...times, ...work, store), /node-2/);
    const audit = await ask('audit', ...times, store);
    assert.match(audit, /^sound: 2 nodes; 0 FAIL, 0 WARN/m);
    assert.match(audit, BOTH_COMPLETE);
    const ofNode = await ask('audit', '--node', 'node-2', ...times, store);
    assert.match(ofNode, /^sound: \d+ lines .*0 FAIL, 0 WARN/m);
    const gaps = await ask('gaps', ...times, store);
    assert.match(gaps, /^losses\n {2}none$/m);
    assert.match(gaps, BOTH_COMPLETE);
  });

  await t.test('the page leads to the incident, and has a link to its tree', async (t) => {
    const options = ['--audit-log', store, ...times, store];
    const served = await Served.overInputs(...options);
    t.after(() => served.close());
    tutorial.note(['vcml', 'serve', ...options], `vcml serve: ${served.origin}/#token=…\n`);
    const page = await served.open();
    await page.getByText('More', { exact: true }).click();
    await page.getByLabel('written in the running container').check();
    await waitForText(page, '#list-status', new RegExp(`^${CHILDREN + 1} records$`));
    await waitForText(page, '#details', new RegExp(ACCOUNT));
    await shoot(page, 'found');
    await page.getByRole('link', { name: 'Tree of this record' }).click();
    await waitForText(page, '#causes', /sha256sum/);
    const { hash } = new URL(page.url());
    assert.match(hash, new RegExp(`^#view=tree&about=${loop}-`));
    const other = await served.open(hash);
    await waitForText(other, '#causes [aria-selected="true"]', /noted/);
    await waitForText(other, '#details', new RegExp(ACCOUNT));
    await shoot(other, 'tree');
    await other.getByRole('link', { name: 'What we do not know' }).click();
    await waitForText(other, '#unknown-status', /^2 nodes$/);
    await shoot(other, 'unknown');
    assert.equal(await textOf(other, '#completeness'), 'complete: 2 of 2 nodes');
    assert.deepEqual(served.misdeeds, []);
  });

  await t.test('docs/fleet-tutorial.md runs the same commands', () => tutorial.assertShown());
});

/** Keeps a picture of a page beside the transcript. */
async function shoot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(BUILD, `e2e/fleet-tutorial-${name}.png`), fullPage: true });
}
