import { deepEqual, equal, ok } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Agent, startAgent } from '../../support/agent.ts';
import { executeIn, unified } from '../../support/container-cgroup.ts';

const TOP = `vcml-test-${process.pid}`;
const USER = 1000;
/** A number that no user of this machine has. */
const SLICE = `user-${1_000_000 + process.pid}.slice`;
const made = new Set<string>();

after(() => {
  for (const folder of made) remove(folder);
});

/** Makes a cgroup as root does; the test run removes its topmost own folder. */
function makeCgroup(path: string, top = path): string {
  const folder = join(unified(), path);
  mkdirSync(folder, { recursive: true });
  made.add(join(unified(), top));
  return folder;
}

function remove(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) remove(join(folder, entry.name));
  rmdirSync(folder);
}

let runs = 0;

/** Executes a few programs in a cgroup, at first from elsewhere, and returns their records. */
async function recordsIn(agent: Agent, folder: string) {
  const marker = `in-unit-${runs++}`;
  await executeIn(folder, 1, marker);
  const last = await agent.journal.marked(marker);
  const pid = last.actor.ppid;
  const all = agent.records().filter(({ action, actor }) => action === 'exec' && actor.pid === pid);
  // bash in the cgroup of the test, then unshare and bash in this one
  return [...all, last].map(({ attributes }) => ({
    program: attributes['process.executable.name'],
    unit: attributes['vcml.unit'],
    entry: attributes['vcml.entry'],
    authority: attributes['vcml.authority.type'],
    id: attributes['vcml.authority.id'],
  }));
}

/** What the entry of the next process says. */
async function entryIn(agent: Agent, folder: string) {
  const records = await recordsIn(agent, folder);
  const entries = records.filter(({ entry }) => entry !== undefined);
  ok(entries.length <= 1, JSON.stringify(records));
  return entries[0]?.entry;
}

test('an exec that comes from elsewhere enters a unit, and what it starts is in it', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  const unit = `${TOP}.service`;
  const folder = makeCgroup(`${unit}/nested`, unit);
  const none = { unit, entry: undefined, authority: undefined, id: undefined };
  deepEqual(
    (await recordsIn(agent, folder)).filter((one) => one.unit !== undefined),
    [
      { program: 'unshare', unit, entry: 'start', authority: 'unit', id: unit },
      { program: 'bash', ...none },
      { program: 'true', ...none },
    ],
  );
  equal(await entryIn(agent, folder), 'exec');
});

test('a unit has one start for each time that it is made, whatever becomes of the agent', async (t) => {
  const path = `${TOP}-again.service`;
  const old = makeCgroup(`${TOP}-old.service`);
  const agent = await startAgent();
  t.after(() => agent.close());
  equal(await entryIn(agent, old), 'exec', 'it is older than the hook');
  const folder = makeCgroup(path);
  equal(await entryIn(agent, folder), 'start');
  await agent.kill();
  const unentered = makeCgroup(`${TOP}-unentered.service`);
  await agent.start();
  equal(await entryIn(agent, folder), 'exec');
  equal(await entryIn(agent, old), 'exec');
  await agent.stop();
  await agent.start();
  equal(await entryIn(agent, unentered), 'start');
  rmdirSync(folder);
  makeCgroup(path);
  equal(await entryIn(agent, folder), 'start');
  equal(await entryIn(agent, folder), 'exec');
  // While no agent reads, it is made again.
  await agent.kill();
  rmdirSync(folder);
  makeCgroup(path);
  await agent.start();
  equal(await entryIn(agent, folder), 'start');
});

test('each entry of a login session’s scope is one, and names the login if there is one', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  const isNew = !existsSync(join(unified(), 'user.slice'));
  const slice = `user.slice/${SLICE}`;
  const folder = makeCgroup(`${slice}/session-7.scope`, isNew ? 'user.slice' : slice);
  for (let n = 0; n < 2; n++) {
    const records = await recordsIn(agent, folder);
    const [entry] = records.filter(({ entry }) => entry !== undefined);
    const unit = 'session-7.scope';
    // The test has no login uid.
    deepEqual(entry, { program: 'unshare', unit, entry: 'session', authority: 'unit', id: unit });
  }
});

test('a user who has cgroups of their own names no unit', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  for (const [outer, unit] of [
    [`${TOP}-forged`, undefined],
    [`${TOP}-delegated.service`, `${TOP}-delegated.service`],
  ] as const) {
    const folder = makeCgroup(outer);
    chownSync(folder, USER, USER);
    const forged = join(folder, 'system.slice/ssh.service');
    const user = [`--reuid=${USER}`, `--regid=${USER}`, '--clear-groups'];
    execFileSync('setpriv', [...user, 'mkdir', '-p', forged]);
    for (const again of [false, true]) {
      if (again) {
        await agent.kill();
        await agent.start();
      }
      const units = (await recordsIn(agent, forged)).map((one) => one.unit);
      deepEqual([...new Set(units.slice(-2))], [unit], outer);
    }
  }
});
