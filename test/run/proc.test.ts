import { equal, notEqual } from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { hostMountNamespace } from '../../agent/run/proc.ts';

test('outside of the host’s pid namespace, no mount namespace counts as that of the host', () => {
  const own = statSync('/proc/self/ns/mnt').ino;
  notEqual(hostMountNamespace(false), own);
  equal(hostMountNamespace(false), 0);
  notEqual(hostMountNamespace(true), 0);
});
