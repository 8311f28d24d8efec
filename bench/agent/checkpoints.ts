import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compressSegment } from '../../agent/journal/archive/compress.ts';
import { CHECKPOINT_MARK } from '../../record/tree/read-checkpoint.ts';
import { segmentName } from '../../test/support/journal/segment-name.ts';
import { type Bed, startedAgent } from '../bed/bed.ts';
import { segments } from '../bed/journal.ts';
import { LOOPS, storm } from '../bed/storm.ts';
import type { Figure } from '../budgets.ts';
import { decimal } from '../table.ts';

/** The agent writes about ten checkpoints meanwhile. */
const SECONDS = 100;
/** By execs a second: how much larger checkpoints may make a compressed segment, in percent. */
const BUDGETS = { 10: 6, 100: 1 };

/** Measures how much larger checkpoints make a compressed segment, with few execs and with more. */
export async function measureCheckpoints(bed: Bed): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [rate, budget] of Object.entries(BUDGETS)) {
    const { agent, close } = await startedAgent(bed);
    await storm(bed, SECONDS, [], { STORM_RATE: `${Number(rate) / LOOPS}` });
    await agent.stop();
    const lines = segments(agent.journalDir).flatMap((file) =>
      readFileSync(file, 'utf8').split(/(?<=\n)/),
    );
    await close();
    const mark = CHECKPOINT_MARK.toString();
    const others = lines.filter((line) => !line.includes(mark));
    const count = lines.length - others.length;
    if (count === 0) throw new Error('the journal has no checkpoints');
    const [all, without] = [await compressed(bed, lines), await compressed(bed, others)];
    figures.push({
      what: `checkpoints in a compressed segment, ${rate} execs a second`,
      value: 100 * (all / without - 1),
      unit: '%',
      digits: 2,
      budget,
      more: `${count} of ${decimal((all - without) / count, 0)} bytes among ${others.length} lines`,
    });
  }
  return figures;
}

/** Returns the size of the segment that the agent makes of these lines. */
async function compressed(bed: Bed, lines: readonly string[]): Promise<number> {
  const folder = join(bed.directory, 'checkpoints');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, segmentName(1)), lines.join(''));
  await compressSegment(folder, 1, 1, new AbortController().signal);
  return statSync(join(folder, `${segmentName(1)}.zst`)).size;
}
