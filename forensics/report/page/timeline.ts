import { element } from './dom.ts';
import { counted } from './text.ts';

/** The number of bars. */
export const BARS = 60;
/** In a shorter span, a double cannot distinguish the times. */
const SPAN_MIN = BARS * 1000;

/** Two times in nanoseconds since the first record. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** How the bars show times, and the handlers that they call. */
export interface TimelineOptions {
  readonly timeText: (nanoseconds: number) => string;
  readonly onZoom: (span: Span) => void;
  readonly onZoomOut: () => void;
}

/** What a bar shows of its part of the time. */
export interface Bar {
  readonly records: number;
  readonly gaps: number;
  readonly losses: number;
  /** the share of nodes that have no record then */
  readonly silent?: number;
  /** what else there is to say */
  readonly remarks?: readonly string[];
}

/** A toolbar whose bars show the number of records over time. */
export class Timeline {
  readonly #toolbar: HTMLElement;
  readonly #options: TimelineOptions;
  readonly #buttons: readonly HTMLButtonElement[];
  #span: Span = { from: 0, to: 0 };
  #anchor = 0;
  #current = 0;

  constructor(toolbar: HTMLElement, options: TimelineOptions) {
    this.#toolbar = toolbar;
    this.#options = options;
    this.#buttons = Array.from({ length: BARS }, () => element('button', { type: 'button' }));
    toolbar.addEventListener('keydown', (event) => this.#onKey(event));
    for (const [index, bar] of this.#buttons.entries()) {
      bar.addEventListener('pointerdown', (event) => this.#onPointer(event, index, true));
      bar.addEventListener('pointerenter', (event) => this.#onPointer(event, index, false));
      bar.addEventListener('click', () => this.#zoom());
    }
    // a drag ends on another bar than it began on, so that there is no click
    toolbar.addEventListener('pointerup', () => this.#anchor !== this.#current && this.#zoom());
  }

  /** Shows the records of a span. */
  show(bars: readonly Bar[], span: Span): void {
    this.#span = span;
    this.#mark(this.#current, false);
    const most = Math.max(1, ...bars.map(({ records }) => records));
    for (const [index, bar] of bars.entries()) this.#draw(index, bar, most);
    // Before, they have no names.
    if (!this.#toolbar.hasChildNodes()) this.#toolbar.append(...this.#buttons);
  }

  #draw(index: number, bar: Bar, most: number): void {
    const { records, gaps, losses, silent = 0, remarks = [] } = bar;
    const button = this.#buttons[index];
    if (button === undefined) return;
    const { from, to } = this.#part(index, index);
    const what = [
      counted(records, 'record'),
      ...(gaps ? [counted(gaps, 'gap')] : []),
      ...(losses ? [counted(losses, 'loss')] : []),
      ...remarks,
    ].join(', ');
    const label = `${this.#options.timeText(from)} to ${this.#options.timeText(to)}: ${what}`;
    button.setAttribute('aria-label', label);
    button.title = label;
    button.style.setProperty('--records', String(records / most));
    button.style.setProperty('--gaps', String(gaps / most));
    button.style.setProperty('--silent', String(silent));
    button.textContent = `${losses ? '‼' : ''}${gaps ? '⁇' : ''}`;
    button.classList.toggle('empty', records === 0);
    button.classList.toggle('gap', gaps > 0);
    button.classList.toggle('loss', losses > 0);
  }

  #part(first: number, last: number): Span {
    const { from, to } = this.#span;
    const width = (to - from) / BARS;
    return { from: from + first * width, to: from + (last + 1) * width };
  }

  #mark(index: number, extend: boolean): void {
    this.#current = Math.max(0, Math.min(BARS - 1, index));
    if (!extend) this.#anchor = this.#current;
    const [first, last] = this.#marked;
    for (const [place, button] of this.#buttons.entries()) {
      button.tabIndex = place === this.#current ? 0 : -1;
      button.setAttribute('aria-pressed', String(place >= first && place <= last && first < last));
    }
  }

  get #marked(): readonly [first: number, last: number] {
    return [Math.min(this.#anchor, this.#current), Math.max(this.#anchor, this.#current)];
  }

  #zoom(): void {
    const part = this.#part(...this.#marked);
    if (part.to - part.from < SPAN_MIN) return;
    this.#options.onZoom(part);
  }

  #onPointer(event: PointerEvent, index: number, down: boolean): void {
    if (event.buttons !== 1) return;
    // a touch stays with the bar on which it began
    if (event.target instanceof Element) event.target.releasePointerCapture?.(event.pointerId);
    this.#mark(index, !down);
  }

  #onKey(event: KeyboardEvent): void {
    const to = { ArrowLeft: this.#current - 1, ArrowRight: this.#current + 1, Home: 0, End: BARS }[
      event.key
    ];
    if (to !== undefined) {
      this.#mark(to, event.shiftKey);
      this.#buttons[this.#current]?.focus();
    } else if (event.key === 'Escape') this.#options.onZoomOut();
    else return;
    event.preventDefault();
  }
}
