import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bed, prepareAgent } from './bed.ts';
import { startReceiver } from './export.ts';
import { countLines, lossesTold } from './journal.ts';
import { createMemoryCgroup } from './memory-cgroup.ts';
import { settle } from './process.ts';

const EXECSNOOP = '/usr/sbin/execsnoop';
const TRACEFS = '/sys/kernel/tracing';

/** A tool that watches execs, while it runs. */
export interface Tool {
  /** of its first process; none where nothing runs */
  readonly pid?: number;
  /** Ends it; what it had written by then. */
  stop(): Promise<Written>;
}

/** What a tool says about the execs of the no-op since it started. */
export interface Written {
  readonly records: number;
  /** records that the tool itself says are missing */
  readonly told: number;
}

/** Nothing attached: what all others are compared with. */
export async function nothing(): Promise<Tool> {
  return { stop: async () => ({ records: 0, told: 0 }) };
}

/** The agent as in production, and as it exports to a receiver that takes everything. */
export async function exportingAgent(bed: Bed): Promise<Tool> {
  const receiver = await startReceiver(bed);
  const tool = await agent(bed, '--export-endpoint', `http://127.0.0.1:${receiver.port}`);
  return {
    ...tool,
    async stop() {
      const written = await tool.stop();
      await receiver.close();
      return written;
    },
  };
}

/** The agent as in production. */
export async function agent(bed: Bed, ...args: readonly string[]): Promise<Tool> {
  const cgroup = createMemoryCgroup(bed);
  // All records stay, so that they can be counted.
  const { agent, close } = prepareAgent(bed, '--journal-max-bytes', '64GiB', ...args);
  agent.bin = cgroup.launcher(agent.bin);
  await agent.start();
  await settle(agent.pid);
  return {
    pid: agent.pid,
    async stop() {
      await agent.stop();
      const records = await countLines(agent.journalDir, `"object":"${bed.noop}"`);
      const told = await lossesTold(agent.journalDir);
      await close();
      await cgroup.close();
      return { records, told };
    },
  };
}

/** Debian's execsnoop of libbpf-tools, writing text to a file. */
export async function execsnoop(bed: Bed): Promise<Tool> {
  const releaseTracefs = mountTracefs(bed);
  const file = join(bed.directory, 'execsnoop.txt');
  const out = openSync(file, 'w');
  if (!existsSync(EXECSNOOP))
    throw new Error(`${EXECSNOOP} is missing: apt-get install libbpf-tools`);
  const cgroup = createMemoryCgroup(bed);
  const child = spawn(cgroup.launcher(EXECSNOOP), ['-T'], { stdio: ['ignore', out, 'pipe'] });
  closeSync(out);
  let stderr = '';
  child.stderr?.on('data', (data) => (stderr += data));
  const { pid } = child;
  if (pid === undefined) throw new Error(`${EXECSNOOP} did not start`);
  const kill = bed.cleanup.add(() => child.kill('SIGKILL'));
  await settle(pid);
  if (child.exitCode !== null) throw new Error(`execsnoop ended: ${stderr}`);
  return {
    pid,
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGINT');
      await ended;
      await kill();
      await cgroup.close();
      await releaseTracefs();
      return readExecsnoop(file, stderr, bed.noop);
    },
  };
}

/** Lines begin with time and command; arguments are empty where their page was not there. */
function readExecsnoop(file: string, stderr: string, noop: string): Written {
  const name = noop.slice(noop.lastIndexOf('/') + 1);
  const count = execFileSync('bash', ['-c', 'grep -cF -- "$0" "$1" || true', ` ${name} `, file], {
    encoding: 'utf8',
  });
  const told = Array.from(stderr.matchAll(/[Ll]ost (\d+) events/g));
  return { records: Number(count), told: told.reduce((sum, [, lost]) => sum + Number(lost), 0) };
}

/** execsnoop attaches to classic tracepoints, by their numbers in tracefs. */
function mountTracefs(bed: Bed): () => Promise<void> {
  const mounted = readFileSync('/proc/self/mounts', 'utf8').includes(` ${TRACEFS} tracefs `);
  if (mounted || !existsSync(TRACEFS)) return async () => {};
  execFileSync('mount', ['-t', 'tracefs', 'tracefs', TRACEFS]);
  return bed.cleanup.add(() => execFileSync('umount', ['--lazy', TRACEFS]));
}
