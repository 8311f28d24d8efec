import { deepEqual, equal, match } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { mountBpffs } from '../../support/bpffs.ts';
import { AGENT_BIN } from '../../support/paths.ts';

test('a kernel whose lockdown lets no program read its memory is refused, and the error names it', () => {
  match(readFileSync('/proc/cmdline', 'utf8'), /\blockdown=confidentiality\b/);
  mkdirSync('/tmp/bpffs');
  mountBpffs('/tmp/bpffs');
  const args = ['--pin-dir', '/tmp/bpffs/pins', '--journal-dir', '/tmp/journal'];
  // As in a pod, only the verifier says that the kernel is in lockdown.
  const { status, stderr } = spawnSync(AGENT_BIN, ['run', ...args, '--print', 'none'], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  equal(status, 77, stderr);
  match(stderr, /kernel lockdown \(confidentiality\) .*; boot with lockdown=integrity/);
  deepEqual(readdirSync('/tmp/bpffs'), []);
});
