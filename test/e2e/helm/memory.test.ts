import { equal, ok } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAgent } from '../../support/agent.ts';
import { agentContainer } from './template.ts';

const MAPS = ['control_page', 'causes', 'cpus', 'scratches', 'events', 'cgroups'];

/** The memory limit of an agent with these values. */
function memoryLimit(values = ''): unknown {
  return agentContainer(values).resources.limits?.memory;
}

/** The part of a limit that the chart computes for the maps in the kernel, in MiB. */
function mapsOf(values: string): number {
  return Number(/^(\d+)Mi$/.exec(`${memoryLimit(values)}`)?.[1]) - 128;
}

test('the memory limit is the sum of process, ring buffer, tables and what each CPU takes', () => {
  equal(memoryLimit(), '212Mi');
  equal(memoryLimit('config: {ringSize: 64MiB, tableEntries: 32768}'), '211Mi');
  equal(memoryLimit('config: {ringSize: 1GiB}'), '1204Mi');
  equal(memoryLimit('config: {ringSize: 33554432}'), '212Mi');
  equal(memoryLimit('agentMemoryMiB: 100'), '184Mi');
  equal(memoryLimit('possibleCpus: 256'), '246Mi');
  equal(memoryLimit('resources: {limits: {memory: 1Gi}}'), '1Gi');
});

test('the maps of a real hook take no more than the chart computes, and hardly less', async (t) => {
  for (const [entries, ring] of [
    [32_768, 16],
    [131_072, 64],
  ] as const) {
    const args = ['--table-entries', `${entries}`, '--ring-size', `${ring}MiB`];
    const agent = await startAgent({ args });
    t.after(() => agent.close());
    const pinned = readdirSync(agent.pinDir).filter((name) => MAPS.includes(name));
    equal(pinned.length, MAPS.length);
    const maps = pinned.map((name) => {
      const show = ['--json', 'map', 'show', 'pinned', join(agent.pinDir, name)];
      return JSON.parse(execFileSync('bpftool', show, { encoding: 'utf8' }));
    });
    const bytes = maps.reduce((sum, { bytes_memlock }) => sum + bytes_memlock, 0);
    const cpus = maps.find(({ name }) => name === 'scratches')?.max_entries;
    const config = `{ringSize: ${ring}MiB, tableEntries: ${entries}}`;
    const computed = mapsOf(`possibleCpus: ${cpus}\nconfig: ${config}`);
    const real = bytes / 2 ** 20;
    ok(real <= computed && computed < real + 2, `${computed} MiB for ${real} MiB`);
    await agent.stop();
  }
});

test('what each CPU takes is what the chart multiplies', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  const bytesOf = (name: string) => {
    const show = ['--json', 'map', 'show', 'pinned', join(agent.pinDir, name)];
    const map = JSON.parse(execFileSync('bpftool', show, { encoding: 'utf8' }));
    return map.bytes_memlock / map.max_entries;
  };
  // An LRU map holds back 256 entries for each CPU.
  const perCpu = bytesOf('scratches') + 256 * bytesOf('cgroups');
  const computed = mapsOf('possibleCpus: 1025') - mapsOf('possibleCpus: 1');
  const real = (1024 * perCpu) / 2 ** 20;
  ok(real <= computed + 1 && computed < real + 4, `${computed} MiB for ${real} MiB`);
});
