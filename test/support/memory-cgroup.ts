import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './paths.ts';
import { until } from './until.ts';

const CGROUPS = '/sys/fs/cgroup';
const IS_V1 = existsSync(join(CGROUPS, 'memory/memory.stat'));

/** A cgroup with a memory limit. */
export interface MemoryCgroup {
  /** Writes a script to `file` that enters the cgroup and executes a program with its arguments. */
  launcher(file: string, program: string): string;
  /** The most bytes that it was charged with at once, with files that the kernel keeps in memory. */
  peak(): number;
  /** What it is charged with, and the memory of its processes, for a message. */
  state(): string;
  /** How many processes the kernel has killed in it because its memory was full. */
  kills(): number;
}

/** Makes a cgroup with a memory limit; when the test ends, what still runs in it is killed. */
export function createMemoryCgroup(
  t: { after(cleanUp: () => Promise<void>): void },
  limit: number,
): MemoryCgroup {
  const name = `vcml-test-memory-${process.pid}`;
  const folder = join(CGROUPS, IS_V1 ? 'memory' : '', name);
  mkdirSync(folder);
  const at = (file: string) => join(folder, file);
  t.after(async () => {
    await until('an empty cgroup', () => {
      const pids = readFileSync(at('cgroup.procs'), 'utf8').split('\n').filter(Boolean);
      for (const pid of pids) kill(Number(pid));
      return pids.length === 0;
    });
    rmdirSync(folder);
  });
  writeFileSync(at(IS_V1 ? 'memory.limit_in_bytes' : 'memory.max'), `${limit}`);
  const cgroup: MemoryCgroup = {
    launcher(file, program) {
      const script = `#!/bin/sh\necho $$ >'${at('cgroup.procs')}' && exec '${program}' "$@"\n`;
      writeFileSync(file, script, { mode: 0o755 });
      return file;
    },
    peak: () => numberIn(at(IS_V1 ? 'memory.max_usage_in_bytes' : 'memory.peak'), /^(\d+)/),
    state: () => {
      const pids = readFileSync(at('cgroup.procs'), 'utf8').split('\n').filter(Boolean);
      const counts = `${cgroup.kills()} killed, ${cgroup.peak() >> 20} of ${limit >> 20} MiB at most`;
      return [counts, readFileSync(at('memory.stat'), 'utf8'), ...pids.map(memoryOf)].join('\n');
    },
    kills: () => numberIn(at(IS_V1 ? 'memory.oom_control' : 'memory.events'), /^oom_kill (\d+)$/m),
  };
  return cgroup;
}

/** The memory limit of the agent in the chart, as its rendered manifest has it, in bytes. */
export function chartLimit(): number {
  const manifest = readFileSync(join(ROOT, 'deploy/manifests/vcml-agent.yaml'), 'utf8');
  const [, mebibytes] = /limits:\s+memory: (\d+)Mi/.exec(manifest) ?? [];
  if (mebibytes === undefined) throw new Error('the manifest of the chart has no memory limit');
  return Number(mebibytes) << 20;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

function memoryOf(pid: string): string {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return status.match(/^(Name|Rss\w+):.*$/gm)?.join(' ') ?? '';
  } catch {
    return `${pid} has ended`;
  }
}

function numberIn(file: string, pattern: RegExp): number {
  const text = readFileSync(file, 'utf8');
  const [, number] = pattern.exec(text) ?? [];
  if (number === undefined) throw new Error(`${file} has no ${pattern}: ${text}`);
  return Number(number);
}
