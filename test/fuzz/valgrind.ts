// make valgrind; no part of `make test`, for Node runs fifty times as slow.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { Agent } from '../support/agent.ts';
import { ROOT } from '../support/paths.ts';

test('valgrind finds no error of the addon, from attaching to detaching', async (t) => {
  // For its bpffs, and that nothing stays behind; it is not started.
  const agent = new Agent({});
  t.after(() => agent.close());
  const script = join(agent.directory, 'addon.mjs');
  // Stripping types takes WebAssembly, which takes longest of all under valgrind.
  await build({
    entryPoints: [join(import.meta.dirname, 'addon.ts')],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
  const run = promisify(execFile)('valgrind', [
    '--error-exitcode=9',
    '--error-limit=no',
    '--child-silent-after-fork=yes',
    '--leak-check=full',
    '--show-leak-kinds=definite',
    '--errors-for-leak-kinds=definite',
    `--suppressions=${join(import.meta.dirname, 'valgrind.supp')}`,
    process.execPath,
    '--jitless',
    '--single-threaded',
    script,
    ROOT,
    agent.pinDir,
  ]);
  const { stderr } = await run;
  console.log(stderr.slice(stderr.indexOf('HEAP SUMMARY')));
  assert.match(stderr, /ERROR SUMMARY: 0 errors/);
});
