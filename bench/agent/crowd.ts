import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { program } from '../../test/support/agent.ts';
import { type Bed, startedAgent } from '../bed/bed.ts';
import { anonymousBytes } from '../bed/memory.ts';

const PID_MAX = '/proc/sys/kernel/pid_max';
const PROCESSES = 100_000;
const MARKER = 'bench:crowd';

/** The figures of an agent with very many processes that all began after its hook. */
export interface Crowd {
  readonly processes: number;
  /** The own memory of the agent (RssAnon). */
  readonly bytes: number;
  /** The gaps `untracked` among the records, including that of the last process's child. */
  readonly untracked: number;
  /** Whether the child of the last process is linked to it. */
  readonly linked: boolean;
}

/** Measures an agent with very many processes; pid_max is raised until the measurement ends. */
export async function measureCrowd(bed: Bed): Promise<Crowd> {
  const was = readFileSync(PID_MAX, 'utf8');
  const restore = bed.cleanup.add(() => writeFileSync(PID_MAX, was));
  writeFileSync(PID_MAX, `${Math.max(Number(was), 2 * PROCESSES)}`);
  const { agent, close } = await startedAgent(bed);
  const child = spawn(program('load'), ['crowd', `${PROCESSES}`, MARKER], { stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`load ended with ${code}`);
  const last = await agent.journal.marked(MARKER);
  const bytes = anonymousBytes(agent.pid);
  const untracked = agent
    .records()
    .filter(({ attributes }) => attributes['vcml.gap.reason'] === 'untracked').length;
  await close();
  await restore();
  return { processes: PROCESSES, bytes, untracked, linked: last.parent_cause !== null };
}
