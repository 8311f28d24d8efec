import { match } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { checkRefused } from './refused-run.ts';

test('a kernel whose lockdown lets no program read its memory is refused, and the error names it', () => {
  match(readFileSync('/proc/cmdline', 'utf8'), /\blockdown=confidentiality\b/);
  // As in a pod, only the verifier says that the kernel is in lockdown.
  checkRefused(77, /kernel lockdown \(confidentiality\) .*; boot with lockdown=integrity/);
});
