import { closeSync, openSync } from 'node:fs';
import { counted } from '../../record/describe.ts';
import type { Answers } from '../inputs/find.ts';
import type { Temporary } from '../inputs/temporary.ts';
import type { Agent } from './agents.ts';
import { type Access, type Ended, kubectlInto } from './kubectl.ts';
import { NEIGHBORS } from './question.ts';

/** Each kubectl takes a processor for a moment, and some memory. */
const AT_ONCE = 16;
/** `vcml-agent cat` has printed what it could read. */
const DAMAGED = 73;

/** It says first that it waits for another one (bin/vcml-agent). */
const WAITING = /^vcml-agent: waiting for another cat /;

/** What an agent says that searched only what is near (agent/commands/cat.ts). */
const UNSEARCHED = /^vcml-agent: --neighbors: /m;

/** What the agents of version 0.1.0 and before say. */
const UNKNOWN = `unknown option '${NEIGHBORS}'`;

/** How nodes are asked. */
export interface Asking {
  readonly access: Access;
  readonly temporary: Temporary;
  readonly timeoutMs: number;
  /** receives how many nodes were asked */
  readonly onProgress: (asked: number) => void;
}

/** What agents sent. */
export interface Sent {
  readonly answers: Answers;
  /** the nodes whose journals continue behind what was searched for the records around a time */
  readonly unsearched: ReadonlySet<string>;
  /** nodes whose records of the time are not all here, or not those around it, and why */
  readonly unjudged: Map<string, string>;
}

/**
 * Asks the agents, several at a time, to print records. What came from a node is its journal, also if
 * not everything came; then the node is a problem as well.
 */
export async function askAgents(
  agents: readonly Agent[],
  args: readonly string[],
  asking: Asking,
): Promise<Sent> {
  const answers: Answers = { found: [], problems: [], notes: [] };
  const unsearched = new Set<string>();
  const unjudged = new Map<string, string>();
  const waiting = [...agents];
  let asked = 0;
  let whole = 0;
  const work = async (): Promise<void> => {
    for (let agent = waiting.shift(); agent !== undefined; agent = waiting.shift()) {
      const real = asking.temporary.file('.jsonl.zst');
      const { ended, isOlder } = await ask(agent, args, real, asking);
      const why = reasonOf(ended, asking.timeoutMs);
      const path = agent.node;
      answers.found.push({ path, journal: real, real, isBeside: false });
      if (UNSEARCHED.test(ended.errors)) unsearched.add(path);
      if (isOlder) unjudged.set(path, 'its agent is older than this vcml');
      if (why === undefined) whole += 1;
      else {
        answers.problems.push({ path, why });
        unjudged.set(path, 'it did not send everything');
      }
      asked += 1;
      asking.onProgress(asked);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  answers.notes.push(`${whole} of ${counted(agents.length, 'node')} answered`);
  return { answers, unsearched, unjudged };
}

/** Writes the answer of an agent to a file. One that is older is not asked for what is around the time. */
async function ask(
  { namespace, pod }: Agent,
  args: readonly string[],
  file: string,
  { access, timeoutMs }: Asking,
): Promise<{ readonly ended: Ended; readonly isOlder: boolean }> {
  const exec = ['exec', `--namespace=${namespace}`, pod, '--container=agent', '--'];
  const cat = [...exec, 'vcml-agent', 'cat', '--zstd'];
  const fd = openSync(file, 'wx', 0o600);
  try {
    const ended = await kubectlInto(fd, timeoutMs, access, [...cat, ...args]);
    if (!ended.errors.includes(UNKNOWN)) return { ended, isOlder: false };
    const known = args.filter((one) => one !== NEIGHBORS);
    return { ended: await kubectlInto(fd, timeoutMs, access, [...cat, ...known]), isOlder: true };
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
