import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { mountBpffs } from '../../support/bpffs.ts';
import { openTestHook } from '../../support/hook.ts';
import { bytesInUse } from '../../support/memory.ts';
import { until } from '../../support/until.ts';

/** Below the size from which malloc takes memory from the kernel for each block alone. */
const BYTES = 64 << 10;
const COUNT = 2000;
const KEPT_EVERY = 100;
const MIB = 2 ** 20;

test('memory that is free among blocks that live on is given back to the kernel', async (t) => {
  const bpffs = mkdtempSync(join(tmpdir(), 'vcml-freed-memory-'));
  mountBpffs(bpffs);
  const hook = await openTestHook(bpffs);
  t.after(() => {
    hook.detach();
    execFileSync('umount', ['--lazy', bpffs]);
    rmdirSync(bpffs);
  });
  const before = anonymousMib();
  const kept = survivors();
  await until('the memory to be given back', () => {
    bytesInUse(); // collects garbage
    hook.releaseMemory();
    return anonymousMib() - before < (COUNT * BYTES) / MIB / 4;
  });
  assert.equal(kept.length, COUNT / KEPT_EVERY);
});

/** Allocates many blocks and keeps a few of them, all over the heap. */
function survivors(): Buffer[] {
  const blocks = Array.from({ length: COUNT }, () => Buffer.alloc(BYTES, 1));
  return blocks.filter((_, n) => n % KEPT_EVERY === 0);
}

function anonymousMib(): number {
  const [, kilobytes] =
    /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}
