import { FrameCollector } from './frame-collector.ts';
import { LineHead } from './line-head.ts';
import { Resources } from './resources.ts';
import type { FramePlace, IndexedFrame, SegmentIndex } from './segment-index.ts';

const LINE_FEED = 0x0a;

/** Makes the index of a segment from its lines, in little time beside that of the compression. */
export class IndexBuilder {
  readonly #head = new LineHead();
  readonly #resources = new Resources();
  readonly #collector = new FrameCollector();
  readonly #frames: IndexedFrame[] = [];
  #textBytes = 0;
  #lines = 0;

  /** Takes lines of the frame, which are whole unless they are the last ones. */
  add(lines: Buffer): void {
    const view = new DataView(lines.buffer, lines.byteOffset, lines.byteLength);
    const head = this.#head;
    let from = 0;
    for (let end = lines.indexOf(LINE_FEED); end >= 0; end = lines.indexOf(LINE_FEED, from)) {
      this.#lines += 1;
      if (head.read(lines, view, from, end))
        this.#collector.add(head, this.#resources.numberAt(lines, head.resourceAt, end));
      else this.#collector.addOther();
      from = end + 1;
    }
    // A power cut leaves zeros in place of what was written.
    if (from < lines.length || lines.includes(0)) this.#collector.addOther();
    this.#textBytes += lines.length;
  }

  /** Ends the frame, which is now at this place. */
  endFrame(place: FramePlace): void {
    this.#frames.push({ ...place, ...this.#collector.end(this.#textBytes, this.#lines) });
    this.#textBytes = 0;
    this.#lines = 0;
  }

  get index(): SegmentIndex {
    return { resources: this.#resources.texts, frames: this.#frames };
  }
}
