import { closeSync, openSync } from 'node:fs';
import { counted } from '../../record/describe.ts';
import type { Answers } from '../inputs/find.ts';
import type { Temporary } from '../inputs/temporary.ts';
import type { Agent } from './agents.ts';
import { type Access, type Ended, kubectlInto } from './kubectl.ts';

/** Each kubectl takes a processor for a moment, and some memory. */
const AT_ONCE = 16;
/** `vcml-agent cat` has printed what it could read. */
const DAMAGED = 73;

/** It says first that it waits for another one (bin/vcml-agent). */
const WAITING = /^vcml-agent: waiting for another cat /;

/** How nodes are asked. */
export interface Asking {
  readonly access: Access;
  readonly temporary: Temporary;
  readonly timeoutMs: number;
  /** receives how many nodes were asked */
  readonly onProgress: (asked: number) => void;
}

/**
 * Asks the agents, several at a time, to print records. What came from a node is its journal, also if
 * not everything came; then the node is a problem as well.
 */
export async function askAgents(
  agents: readonly Agent[],
  args: readonly string[],
  asking: Asking,
): Promise<Answers> {
  const answers: Answers = { found: [], problems: [], notes: [] };
  const waiting = [...agents];
  let asked = 0;
  let whole = 0;
  const work = async (): Promise<void> => {
    for (let agent = waiting.shift(); agent !== undefined; agent = waiting.shift()) {
      const real = asking.temporary.file('.jsonl.zst');
      const why = await ask(agent, args, real, asking);
      const path = agent.node;
      answers.found.push({ path, journal: real, real, isBeside: false });
      if (why === undefined) whole += 1;
      else answers.problems.push({ path, why });
      asked += 1;
      asking.onProgress(asked);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  answers.notes.push(`${whole} of ${counted(agents.length, 'node')} answered`);
  return answers;
}

/** Writes the answer of an agent to a file. Returns what is wrong with it; undefined: nothing. */
async function ask(
  { namespace, pod }: Agent,
  args: readonly string[],
  file: string,
  { access, timeoutMs }: Asking,
): Promise<string | undefined> {
  const command = ['vcml-agent', 'cat', '--zstd', ...args];
  const exec = ['exec', `--namespace=${namespace}`, pod, '--container=agent', '--', ...command];
  const fd = openSync(file, 'wx', 0o600);
  try {
    return reasonOf(await kubectlInto(fd, timeoutMs, access, exec), timeoutMs);
  } finally {
    closeSync(fd);
  }
}

function reasonOf({ exitCode, errors }: Ended, timeoutMs: number): string | undefined {
  if (exitCode === 0) return undefined;
  if (exitCode === undefined)
    return `did not answer within ${timeoutMs / 1000} s, which --timeout can extend`;
  const lines = errors
    .trim()
    .split('\n')
    .filter((line) => !WAITING.test(line));
  return (exitCode === DAMAGED ? lines[0] : lines.find((line) => line !== '')) ?? '';
}
