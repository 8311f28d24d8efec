import { existsSync, statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type Bed, prepareAgent } from '../bed/bed.ts';
import { segments } from '../bed/journal.ts';

const TIMES = 5;

/**
 * Measures the milliseconds from spawning an agent, with nothing attached before, to its
 * journal.start on disk.
 */
export async function measureStarts(bed: Bed): Promise<number[]> {
  const milliseconds: number[] = [];
  for (let time = 0; time < TIMES; time++) {
    const { agent, close } = prepareAgent(bed);
    const from = performance.now();
    let failed = false;
    const started = agent.start().catch((error) => {
      failed = true;
      throw error;
    });
    started.catch(() => {});
    while (!failed && !hasContent(agent.journalDir)) await pause(1);
    milliseconds.push(performance.now() - from);
    await started;
    await close();
  }
  return milliseconds;
}

function hasContent(directory: string): boolean {
  return existsSync(directory) && segments(directory).some((file) => statSync(file).size > 0);
}
