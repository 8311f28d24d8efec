import { setTimeout as pause } from 'node:timers/promises';
import { type Bed, startedAgent } from '../bed/bed.ts';
import { runNanoseconds, settle, wakeUps } from '../bed/process.ts';
import { storm } from '../bed/storm.ts';

/** The figures of an agent while nothing executes. */
export interface Idle {
  readonly percentOfCore: number;
  readonly wakeUpsPerSecond: number;
  /** The records that were written nevertheless; if there are any, the machine was not idle. */
  readonly records: number;
}

/** Measures an agent that has recorded before and has nothing to do now. */
export async function measureIdle(bed: Bed): Promise<Idle> {
  const { agent, close } = await startedAgent(bed);
  await storm(bed, 1);
  await settle(agent.pid);
  const records = agent.records().length;
  const cpu = runNanoseconds(agent.pid);
  const woken = wakeUps(agent.pid);
  await pause(bed.idleSeconds * 1000);
  const idle = {
    percentOfCore: (runNanoseconds(agent.pid) - cpu) / bed.idleSeconds / 1e7,
    wakeUpsPerSecond: (wakeUps(agent.pid) - woken) / bed.idleSeconds,
    records: agent.records().length - records,
  };
  await close();
  return idle;
}
