import { rfc3339Of } from '../../../record/time.ts';
import { byId } from '../../report/page/dom.ts';
import { counted, fullTime } from '../../report/page/text.ts';
import { BARS, type Bar, type Span, Timeline } from '../../report/page/timeline.ts';
import type { Histogram, HistogramBar } from './answers.ts';
import { Asker } from './ask.ts';
import type { Host } from './host.ts';
import { withValues } from './place.ts';

/** One silent node of many is to be seen, too. */
const SILENT_MIN = 0.35;
/** A step back shows so many times as much. */
const ZOOM_OUT = 4n;

/** The timeline, which counts records, gaps, losses and silent nodes on the server. */
export class HistogramBars {
  readonly #host: Host;
  readonly #asker = new Asker();
  readonly #timeline: Timeline;
  #from = 0n;
  #to = 0n;
  /** the times that are being asked for */
  #asked = { from: 0n, to: 0n };

  constructor(host: Host) {
    this.#host = host;
    this.#timeline = new Timeline(byId('bars', HTMLElement), {
      timeText: (offset) => fullTime(this.#moment(offset)),
      onZoom: ({ from, to }) => this.#zoom(this.#moment(from), this.#moment(to)),
      onZoomOut: () => this.#zoomOut(),
    });
    byId('zoom-out', HTMLButtonElement).addEventListener('click', () => this.#zoomOut());
    byId('zoom-reset', HTMLButtonElement).addEventListener('click', () => this.#showAll());
  }

  async show(selection: URLSearchParams): Promise<void> {
    const query = withValues(selection, { bars: `${BARS}` });
    const bars = byId('bars', HTMLElement);
    bars.setAttribute('aria-busy', 'true');
    try {
      const answer = await this.#asker.ask<Histogram>('/api/histogram', query);
      if (answer !== undefined) this.#draw(answer);
    } catch (error) {
      this.#draw({ from: null, to: null, nodes: 0, bars: [] }, '');
      throw error;
    } finally {
      if (!this.#asker.isBusy) bars.removeAttribute('aria-busy');
    }
  }

  #draw({ from, to, nodes, bars }: Histogram, empty = 'no records'): void {
    this.#from = BigInt(from ?? 0);
    this.#to = BigInt(to ?? 0);
    this.#asked = { from: this.#from, to: this.#to };
    const span: Span = { from: 0, to: Number(this.#to - this.#from) };
    this.#timeline.show(
      Array.from({ length: BARS }, (_, index) => barOf(bars[index], nodes)),
      span,
    );
    byId('from', HTMLElement).textContent = from === null ? empty : fullTime(this.#from);
    byId('to', HTMLElement).textContent = to === null ? '' : fullTime(this.#to);
  }

  #moment(offset: number): bigint {
    return this.#from + BigInt(Math.round(offset));
  }

  #zoom(from: bigint, to: bigint): void {
    const since = rfc3339Of(from);
    const until = rfc3339Of(to);
    if (since === undefined || until === undefined) return;
    this.#asked = { from, to };
    this.#host.go({ selection: withValues(this.#host.place.selection, { since, until }) });
  }

  #zoomOut(): void {
    const { selection } = this.#host.place;
    if (!selection.has('since') && !selection.has('until')) return;
    const asked = this.#asked;
    const more = ((asked.to - asked.from) * (ZOOM_OUT - 1n)) / 2n;
    const { first, last } = this.#host.bounds;
    const from = asked.from - more;
    const to = asked.to + more;
    if (from <= first && to > last) this.#showAll();
    else this.#zoom(from < first ? first : from, to > last ? last + 1n : to);
  }

  #showAll(): void {
    const { selection } = this.#host.place;
    this.#host.go({ selection: withValues(selection, { since: '', until: '' }) });
  }
}

function barOf(bar: HistogramBar | undefined, nodes: number): Bar {
  if (bar === undefined) return { records: 0, gaps: 0, losses: 0 };
  const { records, gaps, lossRecords, lost, silent } = bar;
  return {
    records,
    gaps,
    losses: lossRecords,
    silent: silent === 0 ? 0 : Math.max(SILENT_MIN, silent / nodes),
    remarks: [
      ...(lossRecords === 0 ? [] : [`${counted(lost, 'record')} lost`]),
      ...(silent === 0 ? [] : [`${silent} of ${counted(nodes, 'node')} silent`]),
    ],
  };
}
