import { type Bed, startedAgent } from './bed.ts';
import { anonymousBytes } from './memory.ts';
import { storm } from './storm.ts';

const PARTS = 20;
const MIB = 2 ** 20;

/** The own memory (RssAnon) of an agent after each part of a long storm. */
export interface Look {
  readonly execs: number;
  readonly bytes: number;
}

/** Runs a storm of BENCH_SOAK_SECONDS, and pauses only to read the agent's memory. */
export async function measureSoak(bed: Bed, report: (text: string) => void): Promise<Look[]> {
  const { agent, close } = await startedAgent(bed);
  const looks: Look[] = [];
  let execs = 0;
  for (let part = 1; part <= PARTS; part++) {
    execs += await storm(bed, bed.soakSeconds / PARTS);
    const bytes = anonymousBytes(agent.pid);
    looks.push({ execs, bytes });
    const seconds = Math.round((part * bed.soakSeconds) / PARTS);
    report(`soak: ${seconds} s, ${execs} execs, ${(bytes / MIB).toFixed(1)} MiB`);
  }
  await close();
  return looks;
}
