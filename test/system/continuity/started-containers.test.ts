import { equal } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { STATE_FILES } from '../../../agent/journal/state.ts';
import { type Agent, startAgent } from '../../support/agent.ts';
import { executeIn, unified } from '../../support/container-cgroup.ts';

/** Makes the cgroup of a container; it is removed when the test ends. Returns its folder and id. */
function makeContainer(t: { after(cleanUp: () => void): void }, name: string) {
  const id = createHash('sha256').update(`${process.pid} ${name}`).digest('hex');
  const folder = `${unified()}/docker-${id}.scope`;
  mkdirSync(folder);
  t.after(() => existsSync(folder) && rmdirSync(folder));
  return { folder, id };
}

/** How the next process enters a container, as its record says. */
async function entryOf(agent: Agent, { folder, id }: { folder: string; id: string }) {
  const isEntry = ({ resource, attributes }: (typeof records)[number]) =>
    resource['container.id'] === id && attributes['vcml.entry'] !== undefined;
  const records = agent.records();
  const before = records.filter(isEntry).length;
  await executeIn(folder, 1, 'entry');
  const found = await agent.journal.waitFor('the entry', (all) => all.filter(isEntry)[before]);
  return found.attributes['vcml.entry'];
}

test('a container that is older than the hook has started, also if the first run left no checkpoint', async (t) => {
  const old = makeContainer(t, 'old');
  const agent = await startAgent();
  t.after(() => agent.close());
  const entered = makeContainer(t, 'entered');
  equal(await entryOf(agent, entered), 'start');
  await agent.kill();
  for (const file of STATE_FILES) rmSync(join(agent.journalDir, file), { force: true });
  const fresh = makeContainer(t, 'new');
  await agent.start();
  equal(await entryOf(agent, old), 'exec');
  equal(await entryOf(agent, entered), 'exec');
  equal(await entryOf(agent, fresh), 'start');
});

test('a container that is started again under its id has another start, also after a kill of the agent', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  const container = makeContainer(t, 'again');
  equal(await entryOf(agent, container), 'start');
  equal(await entryOf(agent, container), 'exec');
  rmdirSync(container.folder);
  mkdirSync(container.folder);
  equal(await entryOf(agent, container), 'start');
  await agent.kill();
  await agent.start();
  equal(await entryOf(agent, container), 'exec');
  // While no agent reads, it is started again.
  await agent.kill();
  rmdirSync(container.folder);
  mkdirSync(container.folder);
  await agent.start();
  equal(await entryOf(agent, container), 'start');
});
