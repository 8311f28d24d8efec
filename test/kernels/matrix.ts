import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Architecture, boot, type CgroupMode, kernelOf } from './boot.ts';
import { makeGuest } from './guest.ts';
import { formatRuns, type Run } from './table.ts';

// The slowest first: two guests run at a time.
const KERNELS = ['arm64-6.1', '5.10', '6.1', '6.12', 'newest'].map(kernelOf);
/** Lineage does not look at cgroups: its cases run with v2, those of cgroups with each. */
const MODES: readonly (readonly [CgroupMode, cases: string])[] = [
  ['v2', '*'],
  ['v1', 'cgroups'],
  ['hybrid', 'cgroups'],
];
const MODEL_MOVES = 1000;
const BOOT_MS = 1_200_000;

const guests = new Map<Architecture, string>();
const runs: Run[] = [];

before(async () => {
  for (const architecture of ['amd64', 'arm64'] as const) {
    const kernels = KERNELS.filter((kernel) => kernel.architecture === architecture);
    guests.set(architecture, await makeGuest(architecture, kernels));
  }
});

after(() => console.log(formatRuns(runs)));

describe('the whole agent, with its cases, on other kernels', { concurrency: 2 }, () => {
  for (const [mode, cases] of MODES)
    for (const kernel of KERNELS)
      test(`${kernel.name}, cgroup ${mode}`, { timeout: BOOT_MS }, async (t) => {
        const guest = guests.get(kernel.architecture) ?? '';
        const environment = { CGROUP_MODE: mode, CASES: cases, MODEL_MOVES: `${MODEL_MOVES}` };
        const report = await boot(kernel, guest, environment, t.signal);
        runs.push({ kernel: kernel.name, mode, report });
        t.diagnostic(`${kernel.origin}: ${report.passed.length} cases passed`);
        assert.deepEqual(report.problems, []);
      });
});
