import type { KeyObject } from 'node:crypto';
import type { JsonObject } from '../../record/exact-json.ts';
import { parseExact } from '../../record/exact-json.ts';
import { createLineWriter } from '../../record/line/encode.ts';
import { Chain, type TreeFacts } from '../../record/tree/chain.ts';
import { Frontier } from '../../record/tree/frontier.ts';
import { NO_LINE } from '../../record/tree/hashes.ts';
import { keyName, noteBody, signNote } from '../../record/tree/note.ts';
import { CHECKPOINT_MARK } from '../../record/tree/read-checkpoint.ts';
import type { BootTime, EpochBegin, Place } from '../../record/types.ts';
import { BOOT, HOOK } from '../check/craft.ts';
import { uuid5 } from '../check/uuid.ts';

const LINE_BYTES = 16_384;
const PLACE: Place = {
  resource: JSON.stringify({ 'host.name': 'node', 'host.id': 'h1', 'os.type': 'linux' }),
  attributes: '',
  cgroup: undefined,
};
export const NEW: EpochBegin = { reason: 'new', previous: undefined };
const FIRST_TIME = HOOK + 1000n;

/** A writer of checkpoints, which can also do what no agent does. */
export class Sealer {
  readonly epoch: string;
  /** how many records about the journal there are, for the next id */
  named: number;
  /** boot time of the next checkpoint, ns */
  time = FIRST_TIME;
  unverifiedSegments = 0;
  completeUntil: BootTime | undefined;
  /** the next number of each CPU */
  nextSeq: readonly number[] = [1, 1];
  /** signs notes */
  key: KeyObject | undefined;
  readonly #chain: Chain;
  #begin: EpochBegin | undefined;
  readonly #host: string;

  constructor(epoch: string, begin: EpochBegin | undefined = NEW, host = 'h1', named = 1) {
    this.epoch = epoch;
    this.named = named;
    this.#begin = begin;
    this.#host = host;
    this.#chain = new Chain({ epoch, tree: new Frontier(), previousLine: NO_LINE });
  }

  /** Adds lines, each with its line feed. */
  add(lines: Buffer): void {
    this.#chain.add(lines, 0, lines.length);
  }

  /** Returns the line of a checkpoint behind all lines that were added. */
  seal(change: (facts: TreeFacts) => TreeFacts = (facts) => facts): Buffer {
    const sealed = this.#chain.seal();
    const begin = this.#begin;
    const facts = begin === undefined ? sealed : { ...sealed, begin, continued: undefined };
    this.#begin = undefined;
    const { epoch, unverifiedSegments } = this;
    const name = `${this.time}:journal.checkpoint:${this.named}`;
    const checkpoint = {
      ...change(facts),
      epoch,
      unverifiedSegments,
      hookId: String(HOOK),
      nextSeq: this.nextSeq,
      completeUntil: this.completeUntil,
      note: this.#note(sealed),
    };
    const bootTime = {
      seconds: Number(this.time / 10n ** 9n),
      nanos: Number(this.time % 10n ** 9n),
    };
    const line = Buffer.alloc(LINE_BYTES);
    const place = { ...PLACE, resource: PLACE.resource.replace('"h1"', `"${this.#host}"`) };
    const end = WRITER.write(
      { action: 'journal.checkpoint', id: uuid5(BOOT, name), bootTime, checkpoint },
      place,
      line,
      0,
    );
    const text = line.subarray(0, end);
    this.#chain.written(text);
    this.named += 1;
    this.time += 10n;
    this.unverifiedSegments = 0;
    return text;
  }

  #note({ size, root }: TreeFacts): string | undefined {
    if (this.key === undefined) return undefined;
    const body = noteBody(this.#host, this.epoch, size, root);
    return signNote(this.key, keyName(this.#host), body);
  }

  nextSegment(): void {
    this.#chain.nextSegment();
  }
}

const WRITER = createLineWriter({
  bootId: BOOT,
  hookId: String(HOOK),
  self: { pid: 1, ppid: 1, uid: 0, gid: 0, comm: 'x', executable: '/usr/bin/x' },
  offset: () => ({ seconds: 1_764_000_000, nanos: 0 }),
});

/** Lines of a segment up to a checkpoint; without one, they are behind the last one. */
export interface Block {
  readonly lines: readonly string[];
  readonly isSealed: boolean;
}

/** Writes segments with their checkpoints. */
export function sealed(segments: readonly (readonly Block[])[], sealer: Sealer): Buffer[] {
  return segments.map((blocks, index) => {
    if (index > 0) sealer.nextSegment();
    const parts: Buffer[] = [];
    for (const { lines, isSealed } of blocks) {
      const text = Buffer.from(lines.map((line) => `${line}\n`).join(''));
      parts.push(text);
      sealer.add(text);
      if (isSealed) parts.push(sealer.seal());
      else if (index < segments.length - 1) sealer.unverifiedSegments += 1;
    }
    return Buffer.concat(parts);
  });
}

/** Returns the records of the checkpoints in segments. */
export function checkpointsIn(segments: readonly Buffer[]): JsonObject[] {
  return segments
    .flatMap((text) => text.toString().split('\n'))
    .filter((line) => line.includes(CHECKPOINT_MARK.toString()))
    .map((line) => parseExact(line) as JsonObject);
}
