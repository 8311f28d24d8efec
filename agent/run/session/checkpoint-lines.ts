import { LineNotes } from '../../../record/index/line-notes.ts';
import type { LineWriter } from '../../../record/line/encode.ts';
import type { BootTime, CausalRecord } from '../../../record/types.ts';
import type { Enricher } from '../../enrich/enricher.ts';
import type { MakeLine } from '../../journal/checkpoints/sealing.ts';
import type { Lineage } from '../../lineage/lineage.ts';
import type { Clock } from '../../source/clock.ts';
import type { Hook } from '../../source/hook.ts';
import type { CheckpointKey } from '../checkpoint-key.ts';
import type { WrittenNumbers } from './written-numbers.ts';

/** Most lines are shorter. */
const LINE_BYTES = 4096;

interface CheckpointLinesOptions {
  readonly hook: Pick<Hook, 'touch' | 'clock'>;
  readonly hookId: string;
  readonly clock: Clock;
  readonly lineage: Lineage;
  readonly enricher: Pick<Enricher, 'hostPlace'>;
  readonly lines: LineWriter;
  readonly numbers: WrittenNumbers;
  /** Returns the time up to which everything is in the journal. */
  completeUntil(): BootTime | undefined;
  readonly key: CheckpointKey | undefined;
  readonly onRecord: ((record: CausalRecord, line: string) => void) | undefined;
}

/** Creates the function that makes the lines of a session's checkpoints. */
export function createCheckpointLines(options: CheckpointLinesOptions): MakeLine {
  const { hook, hookId, clock, lineage, enricher, lines, numbers, completeUntil, key, onRecord } =
    options;
  return (facts) => {
    hook.touch();
    clock.sample(hook.clock);
    const { nextSeq } = numbers;
    const note = key?.sign(facts);
    const record = lineage.checkpoint(
      { ...facts, hookId, nextSeq, completeUntil: completeUntil(), note },
      clock.now,
    );
    const place = enricher.hostPlace;
    let line = Buffer.alloc(LINE_BYTES);
    let length = lines.write(record, place, line, 0);
    if (length > line.length) {
      line = Buffer.alloc(length);
      length = lines.write(record, place, line, 0);
    }
    const bytes = line.subarray(0, length);
    const notes = new LineNotes();
    notes.add(record, place.resource, bytes, 0, length);
    return { bytes, notes, written: () => onRecord?.(record, bytes.toString()) };
  };
}
