import { type JsonObject, writeExact } from '../../../record/exact-json.ts';
import { sha256 } from '../../../record/tree/hashes.ts';
import { factsOf } from './checkpoint-line.ts';
import { contentOf } from './content.ts';
import type { TreeFinding } from './history.ts';
import type { CheckpointFacts } from './segment-facts.ts';
import { checkpointInWords } from './words.ts';

/** A checkpoint that left its node. */
export interface Witnessed {
  readonly checkpoint: CheckpointFacts;
  /** its record, as it stands in the journal */
  readonly record: JsonObject;
  /** the SHA-256 of the journal's line that the record was made from, in base64 */
  readonly lineHash: string;
  /** the file and the line, or the store */
  readonly place: string;
}

/** The checkpoints that left nodes; of several that contradict each other, the first one counts. */
export class Witness {
  readonly findings: TreeFinding[] = [];
  readonly #epochs = new Map<string, Map<number, Witnessed>>();
  /** hashes of the lines of those that contradict earlier ones */
  readonly #forged = new Set<string>();

  /** Takes records in the order in which they arrived; those that are no checkpoints are left out. */
  add(record: JsonObject, place: string): void {
    if (record.action !== 'journal.checkpoint') return;
    const checkpoint = factsOf(record);
    if (checkpoint === null) {
      const more = 'a checkpoint in the witness cannot be read; it was damaged on its way';
      this.findings.push({ code: 'CHECKPOINT_FIELDS', path: place, more });
      return;
    }
    const { epoch, size } = checkpoint;
    const sizes = this.#epochs.get(epoch) ?? new Map<number, Witnessed>();
    this.#epochs.set(epoch, sizes);
    const known = sizes.get(size);
    const lineHash = sha256(Buffer.from(`${writeExact(record)}\n`)).toString('base64');
    if (known === undefined) sizes.set(size, { checkpoint, record, lineHash, place });
    else if (known.lineHash !== lineHash && !hasContentOf(known.record, record))
      this.#contradict(known, { checkpoint, record, lineHash, place });
  }

  /** Each of several that came later is reported once, however often it was delivered. */
  #contradict(known: Witnessed, { checkpoint, lineHash, place }: Witnessed): void {
    if (this.#forged.has(lineHash)) return;
    this.#forged.add(lineHash);
    const more = `it is another ${checkpointInWords({ checkpoint })} than the one in ${known.place}, which arrived first and counts`;
    this.findings.push({ code: 'WITNESS_CONTRADICTS', path: place, id: checkpoint.id, more });
  }

  /** The epochs, and their checkpoints by size. */
  get epochs(): ReadonlyMap<string, ReadonlyMap<number, Witnessed>> {
    return this.#epochs;
  }
}

/** Whether records are the same, apart from their resources. */
function hasContentOf(one: JsonObject, other: JsonObject): boolean {
  return contentOf(one).content === contentOf(other).content;
}
