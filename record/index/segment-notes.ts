import { FrameCollector } from './frame-collector.ts';
import { TIME_HIGH_END } from './line-head.ts';
import type { LineNotes } from './line-notes.ts';
import { ALL_BYTES_MAX, NOT_LISTED, RESOURCE_BYTES_MAX, RESOURCES_MAX } from './resources.ts';
import { FRAME_BYTES, type FrameContent } from './segment-index.ts';

const BILLION = 1e9;

/** Collects the index of a segment while its lines are written. */
export class SegmentNotes {
  readonly resources: string[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #collector = new FrameCollector();
  readonly #frames: FrameContent[] = [];
  readonly #head = { id: 0, parent: -1, timeHigh: 0, timeLow: 0, isExec: false };
  #resourceBytes = 0;
  #textBytes = 0;
  #frameBytes = 0;
  #frameLines = 0;
  #lastResource = '';
  #lastNumber = NOT_LISTED;

  /** The size of the lines. */
  get textBytes(): number {
    return this.#textBytes;
  }

  /** What is in each frame; nothing may be added any more. */
  get frames(): readonly FrameContent[] {
    if (this.#frameLines > 0) this.#endFrame();
    return this.#frames;
  }

  /** Adds lines that follow those before. */
  add(notes: LineNotes): void {
    const head = this.#head;
    for (let at = 0; at < notes.count; at++) {
      const length = notes.lengths[at] as number;
      if (this.#frameBytes + length > FRAME_BYTES && this.#frameLines > 0) this.#endFrame();
      this.#textBytes += length;
      this.#frameBytes += length;
      this.#frameLines += 1;
      head.id = notes.ids[at] as number;
      head.parent = notes.parents[at] as number;
      head.timeHigh = notes.timesHigh[at] as number;
      head.timeLow = notes.timesLow[at] as number;
      head.isExec = notes.execs[at] === 1;
      if (head.timeHigh < 0 || head.timeHigh >= TIME_HIGH_END || head.timeLow >= BILLION)
        this.#collector.addOther();
      else this.#collector.add(head, this.#numberOf(notes.resources[at] as string));
    }
  }

  #endFrame(): void {
    this.#frames.push(this.#collector.end(this.#frameBytes, this.#frameLines));
    this.#frameBytes = 0;
    this.#frameLines = 0;
  }

  #numberOf(resource: string): number {
    if (resource === this.#lastResource) return this.#lastNumber;
    const number = this.#numbers.get(resource) ?? this.#list(resource);
    this.#lastResource = resource;
    this.#lastNumber = number;
    return number;
  }

  #list(resource: string): number {
    const number = this.resources.length;
    const bytes = Buffer.byteLength(resource);
    if (number === RESOURCES_MAX || bytes > RESOURCE_BYTES_MAX) return NOT_LISTED;
    if (this.#resourceBytes + bytes > ALL_BYTES_MAX) return NOT_LISTED;
    this.#resourceBytes += bytes;
    this.resources.push(resource);
    this.#numbers.set(resource, number);
    return number;
  }
}
