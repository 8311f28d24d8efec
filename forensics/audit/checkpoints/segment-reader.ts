import { isObject, parseExact } from '../../../record/exact-json.ts';
import { Block } from '../../../record/tree/block.ts';
import { sha256 } from '../../../record/tree/hashes.ts';
import { CHECKPOINT_MARK } from '../../../record/tree/read-checkpoint.ts';
import { checkpointIn, HEAD_BYTES, hostIn, timeIn } from './checkpoint-line.ts';
import { type Content, contentOf } from './content.ts';
import type { CheckpointFacts, SealedBlock, SegmentFacts, Stretch } from './segment-facts.ts';

const LINE_FEED = 0x0a;
/** A line that is longer than this is no checkpoint. */
const LINE_MAX = 16 << 20;

/** Hashes the blocks of a segment, whose text comes in parts. */
export class SegmentReader {
  readonly #block = new Block();
  readonly #blocks: SealedBlock[] = [];
  readonly #unreadable: number[] = [];
  #stretch = begunAt(0);
  /** as the last checkpoint has it; most others have the same */
  #resource = '';
  #host: string | undefined;
  /** the number of lines that have ended */
  #lines = 0;
  /** the beginning of a line whose end has not been read */
  #rest: Buffer[] = [];
  #restBytes = 0;
  /** Whether the line that is being read is too long to be kept. */
  #isLong = false;

  /** Adds text; it need not stay valid. */
  add(part: Buffer): void {
    let from = 0;
    if (this.#restBytes > 0 || this.#isLong) {
      const end = part.indexOf(LINE_FEED) + 1;
      this.#keep(part.subarray(0, end || part.length));
      if (end === 0) return;
      this.#takeRest();
      this.#isLong = false;
      from = end;
    }
    const to = part.lastIndexOf(LINE_FEED) + 1;
    if (to > from) this.#take(part, from, to);
    if (part.length > Math.max(from, to)) this.#keep(part.subarray(Math.max(from, to)));
  }

  /** Ends the segment. */
  end(): SegmentFacts {
    const { bytes, lines } = this.#stretch;
    const torn = Number(this.#restBytes > 0);
    const tail = { ...this.#stretch, bytes: bytes + this.#restBytes, lines: lines + torn };
    return { host: this.#host, blocks: this.#blocks, tail, unreadable: this.#unreadable };
  }

  #keep(text: Buffer): void {
    this.#rest.push(Buffer.from(text));
    this.#restBytes += text.length;
    if (this.#restBytes < LINE_MAX) return;
    this.#isLong = true;
    this.#takeRest();
  }

  #takeRest(): void {
    const text = Buffer.concat(this.#rest);
    this.#rest = [];
    this.#restBytes = 0;
    if (this.#isLong) this.#addLines(text, 0, text.length);
    else this.#take(text, 0, text.length);
  }

  /** Takes whole lines. */
  #take(text: Buffer, from: number, to: number): void {
    if (this.#lines === 0)
      this.#host = hostIn(text.toString('utf8', from, text.indexOf(LINE_FEED, from)));
    let at = from;
    for (let mark = text.indexOf(CHECKPOINT_MARK, at); mark >= 0 && mark < to; ) {
      const begin = Math.max(from, text.lastIndexOf(LINE_FEED, mark) + 1);
      const end = text.indexOf(LINE_FEED, mark) + 1;
      const checkpoint = checkpointIn(text.toString('utf8', begin, end - 1));
      if (checkpoint) {
        this.#addLines(text, at, begin);
        this.#seal(text.subarray(begin, end), checkpoint);
        at = end;
      } else if (checkpoint === null) {
        this.#addLines(text, at, end);
        this.#unreadable.push(this.#lines);
        at = end;
      }
      mark = text.indexOf(CHECKPOINT_MARK, end);
    }
    this.#addLines(text, at, to);
  }

  #addLines(text: Buffer, from: number, to: number): void {
    if (to === from) return;
    this.#block.add(text, from, to);
    const { lines } = this.#stretch;
    const last = Math.max(from, text.lastIndexOf(LINE_FEED, to - 2) + 1);
    const count = linesIn(text, from, to);
    this.#lines += count;
    this.#stretch = {
      from: this.#stretch.from,
      bytes: this.#stretch.bytes + to - from,
      lines: lines + count,
      first: this.#stretch.first ?? timeAt(text, from),
      last: timeAt(text, last) ?? this.#stretch.last,
    };
  }

  #seal(line: Buffer, checkpoint: CheckpointFacts): void {
    this.#lines += 1;
    this.#blocks.push({
      ...this.#stretch,
      root: this.#block.end().toString('base64'),
      line: this.#lines,
      lineBytes: line.length,
      lineHash: sha256(line).toString('base64'),
      content: this.#contentOf(line),
      checkpoint,
    });
    this.#stretch = begunAt(this.#stretch.from + this.#stretch.bytes + line.length);
  }

  #contentOf(line: Buffer): Content {
    const { content, resource } = readContent(line);
    if (resource !== this.#resource) this.#resource = resource;
    return { content, resource: this.#resource };
  }
}

/** Returns a content that nothing else has if the line has too many levels. */
function readContent(line: Buffer): Content {
  try {
    const record = parseExact(line.toString());
    return contentOf(isObject(record) ? record : {});
  } catch {
    return { content: '', resource: '{}' };
  }
}

function begunAt(from: number): Stretch {
  return { from, bytes: 0, lines: 0, first: undefined, last: undefined };
}

function linesIn(text: Buffer, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf(LINE_FEED, from); at >= 0 && at < to; count += 1)
    at = text.indexOf(LINE_FEED, at + 1);
  return count;
}

function timeAt(text: Buffer, at: number): string | undefined {
  return timeIn(text.toString('latin1', at, at + HEAD_BYTES));
}
