import { equal, ok } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chownSync, mkdirSync, rmdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { type Agent, runProgram, startAgent } from '../../support/agent.ts';
import { unified } from '../../support/container-cgroup.ts';

const ID = createHash('sha256').update(`deep ${process.pid}`).digest('hex');
const FOLDER = `${unified()}/docker-${ID}.scope`;

let agent: Agent;
before(async () => {
  agent = await startAgent();
  mkdirSync(FOLDER);
});
after(async () => {
  rmdirSync(FOLDER);
  await agent?.close();
});

test('a user who makes cgroups all the time does not fill the ring buffer', async (t) => {
  const USER = 1000;
  const folder = `${unified()}/${'x'.repeat(200)}-${process.pid}.service`;
  mkdirSync(folder);
  t.after(() => rmdirSync(folder));
  chownSync(folder, USER, USER);
  const small = await startAgent({ args: ['--ring-size', '1MiB'] });
  t.after(() => small.close());
  process.kill(small.pid, 'SIGSTOP');
  await runProgram('deep', 'churn', folder, '5000', `${USER}`);
  for (let n = 0; n < 20; n++) await runProgram('noop', `victim-${n}`);
  process.kill(small.pid, 'SIGCONT');
  await small.journal.marked('victim-19');
  equal(small.records().filter(({ action }) => action === 'journal.loss').length, 0);
});

/** Nested cgroups in a container: how many, and the length and the byte of their names. */
const NESTED: Readonly<Record<string, readonly [levels: number, length: number, byte: number]>> = {
  'with a path of two megabytes in a record': [1700, 254, 0xff],
  'that is 2,100 levels deep': [2100, 1, 0x61],
};

for (const [what, numbers] of Object.entries(NESTED))
  test(`an exec in a cgroup ${what} belongs to the container that made it`, async () => {
    const marker = `deep-${numbers[0]}`;
    await runProgram('deep', 'nested', FOLDER, ...numbers.map(String), marker);
    const { resource, attributes } = await agent.journal.marked(marker);
    equal(resource['container.id'], ID);
    const cgroup = `${attributes['process.linux.cgroup']}`;
    ok(cgroup.startsWith(`0::/docker-${ID}.scope/`), cgroup);
    ok(cgroup.endsWith('/\\...'), cgroup);
    ok(cgroup.length < 4200, `${cgroup.length}`);
    await runProgram('noop', `after-${marker}`);
    await agent.journal.marked(`after-${marker}`);
  });
