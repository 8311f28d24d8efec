import type { Lines } from '../../report/page/tree.ts';

/** Pages that are kept; the others are asked for again when a reader comes back. */
const PAGES_MAX = 20;

/** A page of records, with the cursors of its neighbours. */
export interface WindowPage {
  readonly records: readonly number[];
  /** null: there is none; undefined: the server does not say */
  readonly prev: string | null | undefined;
  readonly next: string | null;
  /** how many records are before the page; undefined: nobody counted them */
  readonly before?: number | undefined;
}

/** A change of the window's lines: so many lines at its beginning came, or left if it is negative. */
export interface Slide {
  readonly shift: number;
  readonly dropped: readonly number[];
}

/** The pages of a long list that are loaded at present; they follow each other. */
export class PageWindow {
  #pages: WindowPage[] = [];
  #before: number | undefined;

  get prev(): string | undefined {
    return this.#pages[0]?.prev ?? undefined;
  }

  get next(): string | undefined {
    return this.#pages.at(-1)?.next ?? undefined;
  }

  /** Whether the server knows the way back. */
  get goesBack(): boolean {
    return this.#pages[0]?.prev !== undefined;
  }

  get records(): readonly number[] {
    return this.#pages.flatMap(({ records }) => records);
  }

  /** How many records are before the window; undefined: not known. */
  get before(): number | undefined {
    return this.#pages[0]?.prev === null ? 0 : this.#before;
  }

  /** Forgets everything, and starts with this page. */
  start(page: WindowPage): void {
    this.#pages = [page];
    this.#before = page.before;
  }

  append(page: WindowPage): Slide {
    this.#pages.push(page);
    // without the way back, nothing may be dropped
    if (this.#pages.length <= PAGES_MAX || typeof this.#pages[1]?.prev !== 'string')
      return { shift: 0, dropped: [] };
    const before = this.before;
    const dropped = this.#pages.shift()?.records ?? [];
    this.#before = before === undefined ? undefined : before + dropped.length;
    return { shift: -dropped.length, dropped };
  }

  prepend(page: WindowPage): Slide {
    const before = this.before;
    this.#before = before === undefined ? undefined : before - page.records.length;
    this.#pages.unshift(page);
    const dropped = this.#pages.length > PAGES_MAX ? (this.#pages.pop()?.records ?? []) : [];
    return { shift: page.records.length, dropped };
  }

  /** The lines of the list; `count` is one more than the highest number, `all` that of all records. */
  lines(count: number, all: number | undefined): Lines {
    const records = Int32Array.from(this.records);
    const before = this.before ?? 0;
    const positions = new Int32Array(count);
    for (const [index, record] of records.entries()) positions[record] = before + index + 1;
    return {
      records,
      levels: new Int32Array(records.length).fill(1),
      positions,
      siblings: () => (this.before === undefined ? -1 : (all ?? -1)),
      hasChildren: () => false,
    };
  }
}
