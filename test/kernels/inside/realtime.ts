import { deepEqual, equal, match } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { mountBpffs } from '../../support/bpffs.ts';
import { AGENT_BIN } from '../../support/paths.ts';

test('a kernel that may sleep for the lock of its ring buffer is refused, and nothing is pinned', () => {
  mkdirSync('/tmp/bpffs');
  mountBpffs('/tmp/bpffs');
  const args = ['--pin-dir', '/tmp/bpffs/pins', '--journal-dir', '/tmp/journal'];
  const { status, stderr } = spawnSync(AGENT_BIN, ['run', ...args, '--print', 'none'], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  equal(status, 69, stderr);
  match(stderr, /this PREEMPT_RT kernel would sleep for the lock .* \(struct spinlock\)/);
  deepEqual(readdirSync('/tmp/bpffs'), []);
});
