import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { program, runProgram, startAgent } from '../../support/agent.ts';

const DEEP = Array.from({ length: 15 }, (_, n) => `${n}-`.padEnd(200, 'x'));
/** What is kept of a path above half of the ring (bpf/events.h). */
const KEPT = 512;

test('above half of the ring long paths are cut at their fronts, and say so', async (t) => {
  const agent = await startAgent({ args: ['--ring-size', '1MiB'] });
  t.after(() => agent.close());
  const dir = join(realpathSync(agent.directory), ...DEEP);
  mkdirSync(dir, { recursive: true });
  copyFileSync(program('noop'), join(dir, 'noop'));
  const run = (marker: string) => runProgram('paths', 'given', dir, join(dir, 'noop'), marker);
  await run('case:roomy');
  const whole = await agent.journal.marked('case:roomy');
  assert.equal(whole.object, join(dir, 'noop'));
  assert.equal(whole.attributes['process.executable.path'], whole.object);
  assert.equal(whole.attributes['process.working_directory'], dir);

  process.kill(agent.pid, 'SIGSTOP');
  await runProgram('load', 'storm', '75', '8000');
  await run('case:crowded');
  process.kill(agent.pid, 'SIGCONT');
  const { object, attributes } = await agent.journal.marked('case:crowded');
  assert.equal(object, join(dir, 'noop').slice(0, KEPT));
  assert.equal(attributes['vcml.object.truncated'], true);
  const folder = DEEP.slice(-2).join('/');
  assert.equal(attributes['process.executable.path'], `/${folder}/noop`);
  assert.equal(attributes['vcml.executable.path_truncated'], true);
  assert.equal(attributes['process.executable.name'], 'noop');
  assert.equal(attributes['process.working_directory'], `/${folder}`);
  assert.equal(attributes['vcml.process.working_directory_truncated'], true);
});
