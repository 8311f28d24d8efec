import { generateKeyPairSync } from 'node:crypto';
import { Witness } from '../../../forensics/audit/checkpoints/witness.ts';
import { keyName, verifierKey } from '../../../record/tree/note.ts';
import { type Draft, exec, loss, start } from '../../check/craft.ts';
import { checkpointsIn } from '../checkpoints.ts';
import type { Folder } from '../forensics.ts';
import { CheckpointedJournal, SECOND } from './checkpointed-journal.ts';

/** Blocks of ten seconds. */
export const BLOCKS = 8;
/** The wall-clock time of the arming in seconds. */
const ARMED = 1_764_001_000;

/** A journal, where it is, and what a witness has of it. */
export interface Scene {
  readonly journal: string;
  readonly witness: Witness;
  readonly verifierKey: string;
  readonly lines: readonly string[];
}

/**
 * Makes a signed journal of two segments and two CPUs, with so many execs a block. A seventh of them is in
 * the pod `cart`. It has a loss in the third block, and lines behind its last checkpoint.
 */
export function sceneIn(folder: Folder, name = 'journal', execs = 40): Scene {
  const { privateKey } = generateKeyPairSync('ed25519');
  const journal = new CheckpointedJournal();
  journal.sealer.key = privateKey;
  journal.add(start([1, 1]));
  let [seq, other] = [0, 0];
  const inPod = (record: Draft): Draft => {
    record.resource['k8s.namespace.name'] = 'shop';
    record.resource['k8s.pod.name'] = seq % 7 === 0 ? 'cart' : 'web-1';
    if (seq % 5 === 0) record.object = '/opt/run.sh';
    return record;
  };
  for (let block = 0; block <= BLOCKS; block += 1) {
    const at = (n: number) => block * 10 * SECOND + n * 1_000_000;
    for (let n = 1; n <= execs; n += 1) {
      seq += 1;
      journal.add(inPod(exec(at(n), 1000 + seq, 0, seq)));
    }
    if (block === 2) journal.add(loss(at(execs + 1), 1, 1, other + 1, other + 3));
    if (block === 2) other += 3;
    other += 1;
    journal.add(exec(at(execs + 2), 100_000 + other, 1, other));
    if (block < BLOCKS) journal.seal((block + 1) * 10 * SECOND, [seq + 1, other + 1]);
    if (block === 4) journal.next();
  }
  const witness = new Witness();
  for (const record of checkpointsIn(journal.segments.map((text) => Buffer.from(text))))
    witness.add(record, 'witness');
  return {
    journal: journal.write(folder, name),
    witness,
    verifierKey: verifierKey(privateKey, keyName('h1')),
    lines: journal.segments.join('').split('\n').slice(0, -1),
  };
}

/** The Unix nanoseconds of so many seconds after the arming. */
export function atSecond(seconds: number): bigint {
  return BigInt(ARMED + seconds) * BigInt(SECOND);
}

/** Returns the id of the line with this number of the first CPU. */
export function idOf({ lines }: Scene, seq: number): string {
  const line = lines.find((one) => one.includes(`"vcml.cpu":0,"vcml.seq":${seq},`)) ?? '{}';
  return JSON.parse(line).id;
}
