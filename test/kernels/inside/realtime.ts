import { test } from 'node:test';
import { checkRefused } from './refused-run.ts';

test('a kernel that may sleep for the lock of its ring buffer is refused, and nothing is pinned', () =>
  checkRefused(69, /this PREEMPT_RT kernel would sleep for the lock .* \(struct spinlock\)/));
