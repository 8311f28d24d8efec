import { isObject } from '../../record/exact-json.ts';
import { rangeOf } from '../../record/index/id-search.ts';
import { LineHead } from '../../record/index/line-head.ts';
import { nodeOf } from '../../record/node.ts';

const LINE_FEED = 0x0a;
const ID_BYTES = 36;
const ID_BITS = 32;

/** A line, by its place among the lines of a text, and what it links. */
export interface LinkedLine {
  readonly line: number;
  readonly id: string;
  readonly parent: string | undefined;
}

/** The lines of a text with their links, so that one is found by its id in little time. */
export class LinkedLines {
  readonly text: Buffer;
  /** how many line feeds the text has */
  readonly lines: number;
  /** Lines that are no records, or not written as the agent writes them. */
  readonly others: readonly number[];
  readonly #starts: number[] = [];
  /** by line: the first 32 bits of the id; -1: its beginning does not have one */
  readonly #ids: number[] = [];
  /** by line: the first 32 bits of the id of the cause; -1: it does not have one */
  readonly #parents: number[] = [];
  readonly #linksOfOthers: LinkedLine[] = [];

  constructor(text: Buffer) {
    this.text = text;
    const view = new DataView(text.buffer, text.byteOffset, text.byteLength);
    const hasZeros = text.includes(0);
    const head = new LineHead();
    const others: number[] = [];
    let feeds = 0;
    for (let from = 0; from < text.length; ) {
      const feed = text.indexOf(LINE_FEED, from);
      const end = feed < 0 ? text.length : feed;
      if (feed >= 0) feeds += 1;
      const isRead = !hasZeros && head.read(text, view, from, end);
      if (!isRead) others.push(this.#starts.length);
      this.#ids.push(isRead ? head.id : -1);
      this.#parents.push(isRead && head.parentAt >= 0 ? head.parent : -1);
      this.#starts.push(from);
      from = end + 1;
    }
    this.lines = feeds;
    this.others = others;
    for (const line of others) this.#addOther(line);
  }

  /** The lines that are no records of the agent, as far as they say an id. */
  get linksOfOthers(): readonly LinkedLine[] {
    return this.#linksOfOthers;
  }

  /** Returns the lines whose id begins with a text of at least four digits, in their order. */
  beginningWith(begin: string): LinkedLine[] {
    return [
      ...this.#search(begin, ({ id }) => id.startsWith(begin)),
      ...this.#linksOfOthers.filter(({ id }) => id.toLowerCase().startsWith(begin)),
    ].sort((a, b) => a.line - b.line);
  }

  /** Returns the lines with an id, in their order. */
  withId(id: string): LinkedLine[] {
    return [
      ...this.#search(id, (line) => line.id === id),
      ...this.#linksOfOthers.filter((line) => line.id === id),
    ].sort((a, b) => a.line - b.line);
  }

  /** Returns the lines that these ids caused, in their order. */
  causedBy(ids: ReadonlySet<string>): LinkedLine[] {
    const beginnings = new Set([...ids].map((id) => rangeOf(id, ID_BITS)?.[0]));
    const found: LinkedLine[] = [];
    for (let line = 0; line < this.#parents.length; line++) {
      if (!beginnings.has(this.#parents[line] as number)) continue;
      const linked = this.#linked(line);
      if (linked.parent !== undefined && ids.has(linked.parent)) found.push(linked);
    }
    const others = this.#linksOfOthers.filter(({ parent = '' }) => ids.has(parent));
    return [...found, ...others].sort((a, b) => a.line - b.line);
  }

  /** Returns the node that a line names; empty: it names none. Throws if the line is no JSON. */
  nodeOf(line: number): string {
    const { resource } = JSON.parse(this.#bytesOf(line).toString());
    return (isObject(resource) ? nodeOf(resource) : undefined) ?? '';
  }

  #search(id: string, isFound: (line: LinkedLine) => boolean): LinkedLine[] {
    const range = rangeOf(id, ID_BITS);
    const found: LinkedLine[] = [];
    if (range === undefined) return found;
    const [first, last] = range;
    for (let line = 0; line < this.#ids.length; line++) {
      const value = this.#ids[line] as number;
      if (value < first || value > last) continue;
      const linked = this.#linked(line);
      if (isFound(linked)) found.push(linked);
    }
    return found;
  }

  #linked(line: number): LinkedLine {
    const head = new LineHead();
    const { buffer, byteOffset, byteLength } = this.text;
    const from = this.#starts[line] ?? 0;
    const to = this.#starts[line + 1] ?? byteLength;
    const end = this.text[to - 1] === LINE_FEED ? to - 1 : to;
    head.read(this.text, new DataView(buffer, byteOffset, byteLength), from, end);
    const idAt = (at: number) => this.text.toString('latin1', at, at + ID_BYTES);
    return {
      line,
      id: idAt(head.idAt),
      parent: head.parentAt < 0 ? undefined : idAt(head.parentAt),
    };
  }

  #bytesOf(line: number): Buffer {
    return this.text.subarray(this.#starts[line], this.#starts[line + 1]);
  }

  #addOther(line: number): void {
    try {
      const { id, parent_cause: parent } = JSON.parse(this.#bytesOf(line).toString());
      if (typeof id !== 'string') return;
      this.#linksOfOthers.push({
        line,
        id,
        parent: typeof parent === 'string' ? parent : undefined,
      });
    } catch {} // it is no record
  }
}
