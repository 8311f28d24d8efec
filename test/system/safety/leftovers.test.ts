import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Agent, runProgram, startAgent } from '../../support/agent.ts';

/** Kernels free unused objects with a delay. */
const PATIENCE_MS = 10_000;

test('detach removes links, programs and maps from the kernel', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  const ours = idsOf(agent);
  assert.deepEqual([ours.link.length, ours.prog.length], [5, 5]);
  assert.ok(ours.map.length >= 5);
  await agent.stop();
  assert.deepEqual(await left(ours, 0), ours, 'kept after an orderly end');
  assert.equal(agent.detach('--journal-dir', agent.journalDir).status, 0);
  assert.deepEqual(await left(ours, PATIENCE_MS), { link: [], prog: [], map: [] });
});

test('an agent of a test leaves no program, mount or file, even if it was killed', async () => {
  const agent = await startAgent();
  const ours = idsOf(agent);
  await runProgram('noop', 'leftovers');
  await agent.kill();
  await agent.close();
  assert.deepEqual(await left(ours, PATIENCE_MS), { link: [], prog: [], map: [] });
  assert.ok(!readFileSync('/proc/self/mounts', 'utf8').includes(agent.directory));
  assert.throws(() => readdirSync(agent.directory), /ENOENT/);
});

type Kind = 'link' | 'prog' | 'map';
type Ids = Record<Kind, number[]>;

/** Everything that is pinned, with its programs and maps. */
function idsOf(agent: Agent): Ids {
  const pins = readdirSync(agent.pinDir);
  const pinned = (kind: Kind, names: string[]) =>
    names.map((name) => bpftool(kind, 'show', 'pinned', join(agent.pinDir, name)));
  const links = pinned(
    'link',
    pins.filter((name) => name.startsWith('on_')),
  );
  const maps = pinned(
    'map',
    pins.filter((name) => !/^(program_)?on_/.test(name)),
  );
  const programs = links.map(({ prog_id: id }) => bpftool('prog', 'show', 'id', String(id)));
  const used = programs.flatMap(({ map_ids: ids }) => ids ?? []);
  return {
    link: links.map(({ id }) => id),
    prog: programs.map(({ id }) => id),
    map: [...new Set([...maps.map(({ id }) => id), ...used])],
  };
}

/** Returns which of these the kernel still has after a while. */
async function left(ids: Ids, patienceMs: number): Promise<Ids> {
  for (const deadline = Date.now() + patienceMs; ; await sleep(100)) {
    const found = { link: there('link', ids), prog: there('prog', ids), map: there('map', ids) };
    const none = Object.values(found).every((of) => of.length === 0);
    if (none || Date.now() >= deadline) return found;
  }
}

function there(kind: Kind, ids: Ids): number[] {
  return ids[kind].filter(
    (id) =>
      spawnSync('bpftool', [kind, 'show', 'id', String(id)], { stdio: 'ignore' }).status === 0,
  );
}

function bpftool(...args: string[]) {
  return JSON.parse(execFileSync('bpftool', ['-j', ...args], { encoding: 'utf8' }));
}
