import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Agent, runProgram } from '../../support/agent.ts';
import { copyAgent } from '../../support/copy-agent.ts';
import { built, ROOT } from '../../support/paths.ts';
import { allRecorded, startStorm } from '../continuity/storm.ts';

test('the addon has no memory error and no undefined behaviour, from attaching to detaching', async (t) => {
  const agent = new Agent({ args: ['--ring-size', '1MiB'] });
  t.after(() => agent.close());
  agent.bin = sanitizedAgent(agent);
  await agent.start();
  let execs = await startStorm(agent, 2).end();
  await agent.kill();
  await runProgram('load', 'storm', '2000', '8000');
  await agent.start();
  const busy = agent.detach('--wait-for-hook', '0s');
  assert.equal(busy.status, 75, busy.output);
  execs += await startStorm(agent, 1).end();
  await allRecorded(agent, execs);
  await agent.start();
  await agent.stop();
  assert.equal(agent.detach('--journal-dir', agent.journalDir).status, 0);
  assert.doesNotMatch(agent.stderr, /AddressSanitizer|runtime error/);
});

test('the addon hashes every length without a memory error or undefined behaviour', () => {
  const file = join(ROOT, 'test/integration/journal/hash-parts.test.ts');
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    ...sanitizers(),
    TEST_ADDON: 'sanitized/vcml_hook.node',
  };
  // A test runner of its own.
  delete env.NODE_TEST_CONTEXT;
  execFileSync(process.execPath, ['--test-isolation=none', '--test', file], { env });
});

/**
 * A copy of the agent whose addon was compiled with AddressSanitizer and UBSan, which end it at an
 * error.
 */
function sanitizedAgent(agent: Agent): string {
  const bin = copyAgent(join(agent.directory, 'sanitized'));
  copyFileSync(built('sanitized/vcml_hook.node'), join(bin, '../../build/vcml_hook.node'));
  const wrapper = join(agent.directory, 'sanitized.sh');
  const env = Object.entries(sanitizers()).map((pair) => pair.join('='));
  writeFileSync(wrapper, `#!/bin/sh\n${env.join(' ')} exec ${bin} "$@"\n`);
  chmodSync(wrapper, 0o755);
  return wrapper;
}

/** Returns the variables with which a program loads such an addon. */
function sanitizers(): Record<string, string> {
  const libraries = ['asan', 'ubsan'].map((name) =>
    execFileSync('gcc', [`-print-file-name=lib${name}.so`], { encoding: 'utf8' }).trim(),
  );
  return {
    // Node's own leaks at its end would be reported as well.
    ASAN_OPTIONS: 'detect_leaks=0',
    UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
    LD_PRELOAD: libraries.join(':'),
  };
}
