import { readFileSync, statSync } from 'node:fs';
import { everyFrame } from '../../test/support/every-frame.ts';
import { type Bed, startedAgent } from '../bed/bed.ts';
import { segments } from '../bed/journal.ts';
import { settle } from '../bed/process.ts';
import { storm } from '../bed/storm.ts';

const SEGMENT = '4MiB';
/** A slow machine needs more than one storm to fill a segment. */
const MOST_STORMS = 10;

/** The bytes of one record in the journal. */
export interface RecordBytes {
  readonly raw: number;
  readonly compressed: number;
}

/** Measures the segments that a storm has filled and the agent has closed and compressed. */
export async function measureBytes(bed: Bed): Promise<RecordBytes> {
  const { agent, close } = await startedAgent(bed, '--segment-max-bytes', SEGMENT);
  let closed: string[] = [];
  for (let storms = 0; closed.length === 0 && storms < MOST_STORMS; storms++) {
    await storm(bed, 1);
    await settle(agent.pid);
    closed = segments(agent.journalDir).filter((file) => file.endsWith('.zst'));
  }
  let lines = 0;
  let raw = 0;
  let compressed = 0;
  for (const file of closed) {
    const content = everyFrame(readFileSync(file));
    lines += content.reduce((count, byte) => (byte === 0x0a ? count + 1 : count), 0);
    raw += content.length;
    compressed += statSync(file).size;
  }
  await close();
  if (lines === 0) throw new Error('no segment was compressed');
  return { raw: raw / lines, compressed: compressed / lines };
}
