import { deepEqual, equal, match } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { mountBpffs } from '../../support/bpffs.ts';
import { AGENT_BIN } from '../../support/paths.ts';

/** Checks that the agent ends with this exit code and this error, and leaves nothing pinned. */
export function checkRefused(exitCode: number, error: RegExp): void {
  mkdirSync('/tmp/bpffs');
  mountBpffs('/tmp/bpffs');
  const args = ['--pin-dir', '/tmp/bpffs/pins', '--journal-dir', '/tmp/journal'];
  const { status, stderr } = spawnSync(AGENT_BIN, ['run', ...args, '--print', 'none'], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  equal(status, exitCode, stderr);
  match(stderr, error);
  deepEqual(readdirSync('/tmp/bpffs'), []);
}
