import { isObject, type JsonObject, writeExact } from '../../../record/exact-json.ts';
import { sha256 } from '../../../record/tree/hashes.ts';
import type { Asked } from './asked.ts';
import { factsOf, hostOf } from './checkpoint-line.ts';
import { type Content, contentOf } from './content.ts';
import type { TreeFinding } from './history.ts';
import type { CheckpointFacts } from './segment-facts.ts';
import { checkpointInWords } from './words.ts';

/** A checkpoint that left its node. There may be a million of them, so that it has only what is compared. */
export interface Witnessed {
  readonly checkpoint: WitnessedFacts;
  readonly content: Content;
  /** the SHA-256 of the journal's line that the record was made from, in base64 */
  readonly lineHash: string;
  /** the file and the line, or the store */
  readonly place: string;
}

type WitnessedFacts = Pick<
  CheckpointFacts,
  'id' | 'host' | 'time' | 'epoch' | 'size' | 'root' | 'previous'
>;

/** The checkpoints that left nodes; of several that contradict each other, the first one counts. */
export class Witness {
  readonly findings: TreeFinding[] = [];
  readonly #asked: Asked | undefined;
  readonly #epochs = new Map<string, Map<number, Witnessed>>();
  /** hashes of the lines of those that contradict earlier ones */
  readonly #forged = new Set<string>();
  readonly #contradicted = new Set<Witnessed>();
  /** Equal ones are one string: a node has few. */
  readonly #resources = new Map<string, string>();

  /** Without `asked`, everything that is added stays. */
  constructor(asked?: Asked) {
    this.#asked = asked;
  }

  /**
   * Takes records in the order in which they arrived; those that are no checkpoints, or of other nodes, are
   * left out.
   */
  add(record: JsonObject, place: string): void {
    if (record.action !== 'journal.checkpoint') return;
    const resource = isObject(record.resource) ? record.resource : {};
    const checkpoint = factsOf(record);
    if (!this.#isAsked(hostOf(resource), checkpoint?.epoch)) return;
    if (checkpoint === null) {
      const more = 'a checkpoint in the witness cannot be read; it was damaged on its way';
      this.findings.push({ code: 'CHECKPOINT_FIELDS', path: place, more });
      return;
    }
    const { id, host, time, epoch, size, root, previous } = checkpoint;
    const sizes = this.#epochs.get(epoch) ?? new Map<number, Witnessed>();
    this.#epochs.set(epoch, sizes);
    const known = sizes.get(size);
    const lineHash = sha256(Buffer.from(`${writeExact(record)}\n`)).toString('base64');
    if (known?.lineHash === lineHash) return;
    const one: Witnessed = {
      checkpoint: { id, host, time, epoch, size, root, previous },
      content: this.#contentOf(record),
      lineHash,
      place,
    };
    if (known === undefined) sizes.set(size, one);
    else if (known.content.content !== one.content.content) this.#contradict(known, one);
  }

  #isAsked(host: string | undefined, epoch: string | undefined): boolean {
    if (this.#asked === undefined) return true;
    const { hosts, epochs } = this.#asked;
    return (host !== undefined && hosts.has(host)) || (epoch !== undefined && epochs.has(epoch));
  }

  #contentOf(record: JsonObject): Content {
    const { content, resource } = contentOf(record);
    const known = this.#resources.get(resource) ?? resource;
    this.#resources.set(known, known);
    return { content, resource: known };
  }

  /** Each of several that came later is reported once, however often it was delivered. */
  #contradict(known: Witnessed, { checkpoint, lineHash, place }: Witnessed): void {
    this.#contradicted.add(known);
    if (this.#forged.has(lineHash)) return;
    this.#forged.add(lineHash);
    const more = `it is another ${checkpointInWords({ checkpoint })} than the one in ${known.place}, which arrived first and counts`;
    this.findings.push({ code: 'WITNESS_CONTRADICTS', path: place, id: checkpoint.id, more });
  }

  /** Whether another checkpoint arrived later for the same place. */
  isContradicted(one: Witnessed): boolean {
    return this.#contradicted.has(one);
  }

  /** The epochs, and their checkpoints by size. */
  get epochs(): ReadonlyMap<string, ReadonlyMap<number, Witnessed>> {
    return this.#epochs;
  }
}
