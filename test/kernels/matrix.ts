import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Architecture, boot, kernelOf } from './boot.ts';
import { cellsOf, hasHost, nameOf } from './cells.ts';
import { makeGuest } from './guest.ts';
import { REFUSED } from './refused.ts';
import { playHost } from './systemd/host.ts';
import { formatRuns, type Run } from './table.ts';

const CELLS = cellsOf(process.env.CELLS);
const KERNELS = new Map(CELLS.map(({ kernel }) => [kernel, kernelOf(kernel)]));
const MODEL_MOVES = 1000;
/** Also where a guest has only the time that others leave: `.ci/run`. */
const BOOT_MS = 3_600_000;

const guests = new Map<Architecture, string>();
const runs: Run[] = [];

before(async () => {
  for (const architecture of ['amd64', 'arm64'] as const) {
    const kernels = [...KERNELS.values()].filter((kernel) => kernel.architecture === architecture);
    if (kernels.length > 0) guests.set(architecture, await makeGuest(architecture, kernels));
  }
});

after(() => console.log(formatRuns(runs)));

describe('the whole agent passes its cases on other kernels', { concurrency: 2 }, () => {
  if (hasHost(process.env.CELLS))
    test('a host with systemd, on 6.12', { timeout: BOOT_MS }, playHost);

  for (const cell of CELLS)
    test(`${nameOf(cell)}, cases ${cell.cases}`, { timeout: BOOT_MS }, async (t) => {
      const { kernel: name, mode, cases, lockdown } = cell;
      const kernel = kernelOf(name);
      const guest = guests.get(kernel.architecture) ?? '';
      const environment = {
        CGROUP_MODE: mode,
        CASES: cases,
        MODEL_MOVES: `${MODEL_MOVES}`,
        // The kernel reads this itself.
        ...(lockdown && { lockdown }),
      };
      const began = performance.now();
      const report = await boot(kernel, guest, environment, REFUSED[name] ?? new Map(), t.signal);
      const seconds = Math.round((performance.now() - began) / 1000);
      runs.push({ kernel: name, mode, lockdown, seconds, report });
      t.diagnostic(`${kernel.origin}: ${report.passed.length} cases passed, ${seconds} s`);
      assert.deepEqual(report.problems, []);
    });
});
