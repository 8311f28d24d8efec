/** Journals with checkpoints, made without an agent. */

import type { BootTime } from '../../../record/types.ts';
import { type Draft, HOOK, text } from '../../check/craft.ts';
import { NEW, Sealer } from '../checkpoints.ts';
import { type Folder, segment } from '../forensics.ts';

export const SECOND = 1_000_000_000;
const ARMED = Number(HOOK) / SECOND;

/** Turns records into the segments of a journal. */
export class CheckpointedJournal {
  readonly sealer: Sealer;
  readonly segments: string[] = [''];

  constructor(epoch = '6a70e583-70cb-4337-ab71-e2ae6e2c7d42', host = 'h1') {
    this.sealer = new Sealer(epoch, NEW, host);
  }

  /** Adds lines that no checkpoint covers yet. */
  add(...records: readonly Draft[]): this {
    for (const record of records) {
      const line = `${text(record)}\n`;
      this.sealer.add(Buffer.from(line));
      this.#write(line);
    }
    return this;
  }

  /**
   * Adds a checkpoint at so many nanoseconds after the arming, with the next number of each CPU. It is
   * complete up to a second before, or up to another time after the arming; null: it does not say.
   */
  seal(at: number, nextSeq: readonly number[], completeUntil: number | null = at - SECOND): this {
    this.sealer.time = HOOK + BigInt(at);
    this.sealer.completeUntil = completeUntil === null ? undefined : bootTime(completeUntil);
    this.sealer.nextSeq = nextSeq;
    this.#write(this.sealer.seal().toString());
    return this;
  }

  /** Begins another segment. */
  next(): this {
    this.sealer.nextSegment();
    this.segments.push('');
    return this;
  }

  /** Writes the segments into a folder of their own, and returns its path. */
  write(folder: Folder, name: string): string {
    for (const [number, content] of this.segments.entries())
      folder.write(`${name}/${segment(number)}`, content);
    return `${folder.path}/${name}`;
  }

  #write(line: string): void {
    const last = this.segments.length - 1;
    this.segments[last] = `${this.segments[last]}${line}`;
  }
}

function bootTime(at: number): BootTime {
  return { seconds: ARMED + Math.floor(at / SECOND), nanos: at % SECOND };
}
