import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AGENT_BIN } from '../../test/support/paths.ts';
import { type Bed, prepareAgent } from '../bed/bed.ts';
import { countLines, lossesReported } from '../bed/journal.ts';
import { createMemoryCgroup } from '../bed/memory-cgroup.ts';
import { settle } from '../bed/process.ts';
import { startReceiver } from '../export/export.ts';

const EXECSNOOP = '/usr/sbin/execsnoop';
const TRACEFS = '/sys/kernel/tracing';

/** A running tool that observes execs. */
export interface Tool {
  /** The pid of its first process; undefined if nothing runs. */
  readonly pid?: number;
  /** Ends the tool and returns what it has written. */
  stop(): Promise<Written>;
}

/** What a tool has recorded about the execs of the no-op since it started. */
export interface Written {
  readonly records: number;
  /** The records that the tool itself reports as missing. */
  readonly reported: number;
}

/** Runs no tool; all others are compared with this. */
export async function nothing(): Promise<Tool> {
  return { stop: async () => ({ records: 0, reported: 0 }) };
}

/** Starts the agent as in production, with an export to a receiver that accepts everything. */
export async function exportingAgent(bed: Bed, bin = AGENT_BIN): Promise<Tool> {
  const receiver = await startReceiver(bed);
  const tool = await agent(bed, bin, '--export-endpoint', `http://127.0.0.1:${receiver.port}`);
  return {
    ...tool,
    async stop() {
      const written = await tool.stop();
      await receiver.close();
      return written;
    },
  };
}

/** Starts the agent as in production; `bin` may be that of another tree. */
export function agent(bed: Bed, bin = AGENT_BIN, ...args: readonly string[]): Promise<Tool> {
  return agentThatSays(bed, '', bin, args);
}

/** Starts the agent; its records count if they contain a text. */
export async function agentThatSays(
  bed: Bed,
  said: string,
  bin: string,
  args: readonly string[],
): Promise<Tool> {
  const cgroup = createMemoryCgroup(bed);
  // All records stay, so that they can be counted.
  const { agent, close } = prepareAgent(bed, '--journal-max-bytes', '64GiB', ...args);
  agent.bin = cgroup.launcher(bin);
  await agent.start();
  await settle(agent.pid);
  return {
    pid: agent.pid,
    async stop() {
      await agent.stop();
      const records = await countLines(agent.journalDir, `"object":"${bed.noop}"`, said);
      const reported = await lossesReported(agent.journalDir);
      await close();
      await cgroup.close();
      return { records, reported };
    },
  };
}

/** Starts execsnoop of Debian's libbpf-tools, which writes text to a file. */
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

/**
 * Reads the output of execsnoop, whose lines begin with time and command; the arguments are empty if
 * their page was absent.
 */
function readExecsnoop(file: string, stderr: string, noop: string): Written {
  const name = noop.slice(noop.lastIndexOf('/') + 1);
  const count = execFileSync('bash', ['-c', 'grep -cF -- "$0" "$1" || true', ` ${name} `, file], {
    encoding: 'utf8',
  });
  const reported = Array.from(stderr.matchAll(/[Ll]ost (\d+) events/g));
  return {
    records: Number(count),
    reported: reported.reduce((sum, [, lost]) => sum + Number(lost), 0),
  };
}

/** Mounts tracefs, because execsnoop attaches to classic tracepoints by their numbers there. */
function mountTracefs(bed: Bed): () => Promise<void> {
  const mounted = readFileSync('/proc/self/mounts', 'utf8').includes(` ${TRACEFS} tracefs `);
  if (mounted || !existsSync(TRACEFS)) return async () => {};
  execFileSync('mount', ['-t', 'tracefs', 'tracefs', TRACEFS]);
  return bed.cleanup.add(() => execFileSync('umount', ['--lazy', TRACEFS]));
}
