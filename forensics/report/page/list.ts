import { element } from './dom.ts';
import { moveFor } from './keys.ts';
import type { Lines } from './tree.ts';

const ROW_REM = 1.75;
const AROUND = 12;
const INDENT_MAX = 32;

/** What the list needs to know about its records, and the handlers that it calls. */
export interface ListOptions {
  readonly rowFor: (record: number) => HTMLElement;
  readonly isCollapsed: (record: number) => boolean;
  readonly isMatch: (record: number) => boolean;
  readonly onSelect: (record: number) => void;
  readonly onOpen: (record: number) => void;
  readonly onToggle: (record: number, collapsed: boolean) => void;
  readonly onExpandBelow: (record: number) => void;
  /** called with the first and the last line in sight, so that more can be loaded */
  readonly onSight?: (first: number, last: number) => void;
}

/**
 * An ARIA tree whose document contains only the visible lines. The selected line has the focus
 * (roving tabindex) and stays in the document wherever the reader scrolls.
 */
export class VirtualTree {
  readonly #tree: HTMLElement;
  readonly #space = element('div', { role: 'none', class: 'space' });
  readonly #options: ListOptions;
  readonly #rows = new Map<number, HTMLElement>();
  #lines: Lines | undefined;
  /** the line of each record; -1: it has none */
  #lineOf = new Int32Array(0);
  #selected = -1;
  #frame = 0;

  constructor(tree: HTMLElement, options: ListOptions) {
    this.#tree = tree;
    this.#options = options;
    tree.append(this.#space);
    const later = () => {
      this.#frame ||= requestAnimationFrame(() => this.#render());
    };
    tree.addEventListener('scroll', later, { passive: true });
    new ResizeObserver(later).observe(tree);
    tree.addEventListener('keydown', (event) => this.#onKey(event));
    tree.addEventListener('click', (event) => this.#onClick(event));
    tree.addEventListener('dblclick', () => this.#toggle(this.#selected));
  }

  /**
   * Shows other lines. The selected record stays selected if it is among them; else the first match
   * is selected, or `wanted`. If `quiet`, no handler is called.
   */
  show(lines: Lines, { wanted = -1, quiet = false } = {}): void {
    this.#lines = lines;
    this.#number(lines);
    if (this.has(this.#selected)) {
      this.#render();
      return;
    }
    const match = lines.records.find(this.#options.isMatch) ?? lines.records[0] ?? -1;
    const first = this.has(wanted) ? wanted : match;
    this.#tree.scrollTop = 0;
    this.#selected = first;
    const focus = this.#tree.contains(document.activeElement);
    if (first >= 0) this.select(first, { focus, quiet });
    else this.#render();
  }

  /**
   * Shows the same lines with `shift` more before them, or fewer if it is negative, and others behind
   * them. What is in sight stays where it is.
   */
  extend(lines: Lines, shift: number): void {
    this.#lines = lines;
    this.#number(lines);
    const height = this.#rowHeight;
    this.#space.style.height = `${lines.records.length * height}px`;
    this.#tree.scrollTop += shift * height;
    const inSight = Math.ceil(this.#tree.scrollTop / height);
    if (!this.has(this.#selected)) this.#selected = lines.records[inSight] ?? -1;
    this.#render();
  }

  has(record: number): boolean {
    return this.#line(record) !== undefined;
  }

  /**
   * Selects a record's line, scrolls to it and focuses it, unless `focus` is false. If `quiet`, no
   * handler is called.
   */
  select(record: number, { focus = true, quiet = false } = {}): void {
    const line = this.#line(record);
    if (line === undefined) return;
    this.#selected = record;
    this.#scrollTo(line);
    this.#render();
    if (focus) this.focus();
    if (!quiet) this.#options.onSelect(record);
  }

  #number(lines: Lines): void {
    this.#lineOf = new Int32Array(lines.positions.length).fill(-1);
    for (const [line, record] of lines.records.entries()) this.#lineOf[record] = line;
  }

  #line(record: number): number | undefined {
    const line = this.#lineOf[record] ?? -1;
    return line < 0 ? undefined : line;
  }

  focus(): void {
    this.#rows.get(this.#selected)?.focus({ preventScroll: true });
  }

  get #rowHeight(): number {
    return ROW_REM * Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  }

  #scrollTo(line: number): void {
    const height = this.#rowHeight;
    const top = line * height;
    const { scrollTop, clientHeight } = this.#tree;
    if (top < scrollTop) this.#tree.scrollTop = top;
    else if (top + height > scrollTop + clientHeight)
      this.#tree.scrollTop = top + height - clientHeight;
  }

  #render(): void {
    this.#frame = 0;
    const lines = this.#lines;
    if (lines === undefined) return;
    const height = this.#rowHeight;
    this.#space.style.height = `${lines.records.length * height}px`;
    const wanted = this.#linesInSight(height, lines.records.length);
    const records = new Set(wanted.map((line) => lines.records[line] ?? -1));
    const hadFocus = this.#tree.contains(document.activeElement);
    for (const [record, row] of this.#rows)
      if (!records.has(record)) {
        row.remove();
        this.#rows.delete(record);
      }
    let before = this.#space.firstChild;
    for (const line of wanted) {
      const row = this.#placed(lines, line, height);
      if (row === before) before = before.nextSibling;
      else this.#space.insertBefore(row, before);
    }
    if (hadFocus) this.focus();
    const top = Math.floor(this.#tree.scrollTop / height);
    this.#options.onSight?.(top, top + Math.ceil(this.#tree.clientHeight / height));
  }

  #linesInSight(height: number, count: number): readonly number[] {
    const first = Math.max(0, Math.floor(this.#tree.scrollTop / height) - AROUND);
    const inSight = Math.ceil(this.#tree.clientHeight / height) + 2 * AROUND;
    const last = Math.min(count, first + inSight);
    const wanted = Array.from({ length: Math.max(0, last - first) }, (_, index) => first + index);
    const selected = this.#line(this.#selected);
    if (selected === undefined || (selected >= first && selected < last)) return wanted;
    return selected < first ? [selected, ...wanted] : [...wanted, selected];
  }

  #placed(lines: Lines, line: number, height: number): HTMLElement {
    const record = lines.records[line] ?? -1;
    const level = lines.levels[line] ?? 1;
    let row = this.#rows.get(record);
    if (row === undefined) {
      row = this.#options.rowFor(record);
      row.setAttribute('role', 'treeitem');
      row.dataset.record = String(record);
      this.#rows.set(record, row);
    }
    row.style.transform = `translateY(${line * height}px)`;
    row.style.setProperty('--indent', String(Math.min(level - 1, INDENT_MAX)));
    row.dataset.deep = level > INDENT_MAX + 1 ? String(level) : '';
    row.tabIndex = record === this.#selected ? 0 : -1;
    const isMatch = this.#options.isMatch(record);
    row.classList.toggle('context', !isMatch);
    row.setAttribute('aria-description', isMatch ? '' : 'leads to a match');
    row.setAttribute('aria-selected', String(record === this.#selected));
    row.setAttribute('aria-level', String(level));
    row.setAttribute('aria-posinset', String(lines.positions[record]));
    row.setAttribute('aria-setsize', String(lines.siblings(record)));
    if (lines.hasChildren(record))
      row.setAttribute('aria-expanded', String(!this.#options.isCollapsed(record)));
    else row.removeAttribute('aria-expanded');
    return row;
  }

  #onClick(event: MouseEvent): void {
    const target = event.target instanceof Element ? event.target : undefined;
    const row = target?.closest<HTMLElement>('[data-record]');
    if (row === null || row === undefined) return;
    const record = Number(row.dataset.record);
    this.select(record);
    if (target?.classList.contains('twisty')) this.#toggle(record);
  }

  #toggle(record: number): void {
    if (this.#lines?.hasChildren(record))
      this.#options.onToggle(record, !this.#options.isCollapsed(record));
  }

  #selectMatch(line: number, direction: 'next' | 'previous'): void {
    const records = this.#lines?.records ?? [];
    const step = direction === 'next' ? 1 : -1;
    for (let other = line + step; other in records; other += step) {
      const record = records[other] ?? -1;
      if (!this.#options.isMatch(record)) continue;
      this.select(record);
      return;
    }
  }

  #onKey(event: KeyboardEvent): void {
    const lines = this.#lines;
    const line = this.#line(this.#selected);
    if (lines === undefined || line === undefined) return;
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const page = Math.max(1, Math.floor(this.#tree.clientHeight / this.#rowHeight) - 1);
    const open = lines.hasChildren(this.#selected) && !this.#options.isCollapsed(this.#selected);
    const closed = lines.hasChildren(this.#selected) && !open;
    const move = moveFor(event.key, { line, page, open, closed, levels: lines.levels });
    if (move === undefined) return;
    event.preventDefault();
    if (typeof move === 'number') this.select(lines.records[move] ?? this.#selected);
    else if (move === 'next' || move === 'previous') this.#selectMatch(line, move);
    else if (move === 'open') this.#options.onOpen(this.#selected);
    else if (move === 'expandBelow') this.#options.onExpandBelow(this.#selected);
    else this.#options.onToggle(this.#selected, move === 'collapse');
  }
}
