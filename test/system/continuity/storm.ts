import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { judge } from '../../check/check.ts';
import { type Agent, program } from '../../support/agent.ts';

export interface Storm {
  /** what it executes; the path distinguishes its execs from all others on the machine */
  readonly noop: string;
  /** Waits for its end; returns the number of execs. */
  end(): Promise<number>;
}

/** Starts two loops that spawn their own no-op. */
export function startStorm(agent: Agent, seconds: number): Storm {
  const noop = noopOf(agent);
  copyFileSync(program('noop'), noop);
  const args = ['2', String(seconds), noop, 'storm'];
  const child = spawn(program('storm'), args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (data) => (output += data));
  const closed = once(child, 'close');
  return {
    noop,
    async end() {
      await closed;
      return Number(output);
    },
  };
}

/** The path distinguishes a storm's execs from all others on the machine. */
function noopOf({ directory }: Agent): string {
  return join(directory, 'noop');
}

/** Ends the agent and compares its journal with the storm; returns how many records were lost. */
export async function allRecorded(agent: Agent, execs: number): Promise<number> {
  assert.equal(await agent.stop(), 0, agent.stderr);
  const { findings } = judge(agent.journal.read() && agent.journal.lines);
  assert.deepEqual(findings, []);
  const lost = agent
    .records()
    .filter(({ action }) => action === 'journal.loss')
    .reduce((sum, { attributes }) => sum + Number(attributes['vcml.loss.count']), 0);
  // Arguments do not identify them: a crowded ring drops arguments first.
  const noop = noopOf(agent);
  const recorded = agent.records().filter(({ object }) => object === noop);
  // Losses may include execs of others: the storm's own start, and other programs on the machine.
  const missing = execs - recorded.length;
  assert.ok(missing >= 0 && missing <= lost, `${missing} are missing, ${lost} recorded as lost`);
  return lost;
}
