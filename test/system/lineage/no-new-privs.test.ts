import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { judge } from '../../check/check.ts';
import { program, startAgent } from '../../support/agent.ts';

const NOOP = program('noop');

test('an exec records that its process can gain no privileges, and so do its children', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  const child = `${NOOP} case:child; ${NOOP} case:other-child`;
  await promisify(execFile)(NOOP, ['case:free']);
  await promisify(execFile)('setpriv', ['--no-new-privs', NOOP, 'case:bound']);
  await promisify(execFile)('setpriv', ['--no-new-privs', 'sh', '-c', child]);
  const flagOf = async (marker: string) =>
    (await agent.journal.marked(marker)).attributes['vcml.process.no_new_privs'];
  assert.equal(await flagOf('case:bound'), true);
  assert.equal(await flagOf('case:child'), true);
  assert.equal(await flagOf('case:other-child'), true);
  assert.equal(await flagOf('case:free'), undefined);
  // The command that gives up privileges could still gain some when it was executed.
  assert.equal(await flagOf(`--no-new-privs ${NOOP} case:bound`), undefined);
  await agent.stop();
  agent.records();
  assert.deepEqual(judge(agent.journal.lines).findings, []);
});
