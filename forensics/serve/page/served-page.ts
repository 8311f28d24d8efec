import { commandLine, visible } from '../../../record/visible.ts';
import { button, byId, element } from '../../report/page/dom.ts';
import type { Summary } from './answers.ts';
import { Asker, Refusal } from './ask.ts';
import { CauseTree } from './cause-tree.ts';
import { Completeness } from './completeness.ts';
import { Filters } from './filters.ts';
import { HistogramBars } from './histogram-bars.ts';
import type { Host } from './host.ts';
import {
  argumentsOf,
  hashOf,
  nodesAndTimes,
  type Place,
  placeOf,
  VIEWS,
  type View,
  withValues,
} from './place.ts';
import { RecordDetails } from './record-details.ts';
import { TimeList } from './time-list.ts';
import { UnknownTable } from './unknown-table.ts';

/** Browsers refuse to change an address as fast as an arrow key repeats. */
const NOTE_MS = 250;
const EXPORTS = ['jsonl', 'csv'] as const;

/** The page: it knows where the reader is, and shows it. */
export class ServedPage implements Host {
  readonly bounds: Host['bounds'];
  readonly #known: Completeness;
  readonly #filters: Filters;
  readonly #bars: HistogramBars;
  readonly #list: TimeList;
  readonly #tree: CauseTree;
  readonly #unknown: UnknownTable;
  readonly #details: RecordDetails;
  /** what each part shows, so that it is asked for only once */
  readonly #shown = new Map<string, string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #place: Place = placeOf('');
  /** what a question to a store names if it names no time */
  readonly #since: string;
  /** the address of a store */
  readonly #input: string;

  constructor({ first, last, completeness, since, kind, inputs }: Summary) {
    this.#since = since ?? '';
    this.#input = kind === 'store' ? (inputs[0]?.path ?? '') : '';
    this.bounds = { first: BigInt(first ?? 0), last: BigInt(last ?? 0) };
    this.#known = new Completeness(completeness);
    this.#filters = new Filters(this);
    this.#bars = new HistogramBars(this);
    this.#list = new TimeList(this);
    this.#tree = new CauseTree(this);
    this.#unknown = new UnknownTable(this);
    const panel = byId('details', HTMLElement);
    this.#details = new RecordDetails(panel, this, (id) => this.#follow(id));
    panel.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.#records.focus();
    });
    addEventListener('popstate', () => {
      clearTimeout(this.#timer);
      this.show(placeOf(location.hash));
    });
    byId('copy', HTMLButtonElement).addEventListener('click', () => {
      void copyLink(hashOf(this.#place));
    });
    for (const form of EXPORTS)
      byId(`export-${form}`, HTMLButtonElement).addEventListener('click', () => {
        const query = withValues(this.#place.selection, { form });
        download(query).catch((error: unknown) => this.fail(error));
      });
    byId('skip', HTMLAnchorElement).addEventListener('click', (event) => {
      event.preventDefault();
      this.#records.focus();
    });
  }

  get place(): Place {
    return this.#place;
  }

  go(change: Partial<Place>): void {
    const isOther = change.selection !== undefined && !('id' in change);
    this.#visit({ ...this.#place, ...change, ...(isOther && { id: undefined }) });
  }

  select(id: string | undefined): void {
    this.#place = { ...this.#place, id };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#note(), NOTE_MS);
    this.#details.show(id);
    this.#link();
  }

  #visit(place: Place): void {
    this.#note();
    history.pushState(null, '', hashOf(place));
    this.show(place);
  }

  /** Notes the selected record in the address. */
  #note(): void {
    clearTimeout(this.#timer);
    history.replaceState(null, '', hashOf(this.#place));
  }

  fail(error: unknown): void {
    const text = error instanceof Refusal ? error.message : `the page failed: ${String(error)}`;
    byId('problem', HTMLElement).replaceChildren(visible(text), ...this.#remedyFor(error));
    if (!(error instanceof Refusal)) throw error;
  }

  #remedyFor(error: unknown): readonly (Node | string)[] {
    if (!(error instanceof Refusal)) return [];
    // The server was started again: it has a new token, and may have other records.
    if (error.isUnauthorized) return [' ', button('Load the page again', () => location.reload())];
    return error.isPassing ? [' ', button('Try again', () => this.#again())] : [];
  }

  #again(): void {
    this.#shown.clear();
    this.show(this.#place);
  }

  /** Shows a place, and asks for what it does not have. */
  show(place: Place): void {
    this.#place = place;
    const { view, selection } = place;
    byId('problem', HTMLElement).textContent = '';
    byId('copied', HTMLElement).textContent = '';
    for (const [part, views] of Object.entries(PARTS))
      byId(part, HTMLElement).hidden = !views.includes(view);
    this.#filters.show(selection);
    this.#link();
    this.#leaveOthers(view);
    const about = nodesAndTimes(selection);
    // A store may have got records since the same was asked.
    const known = this.#input === '' ? about : selection;
    this.#once('known', known.toString(), () => this.#known.show(about));
    if (view === 'unknown') {
      if (!this.#once('unknown', about.toString(), () => this.#unknown.show(selection)))
        this.#unknown.showNodes();
      return;
    }
    this.#once('bars', selection.toString(), () => this.#bars.show(selection));
    if (view === 'list') this.#showList(place);
    else this.#showTree(place);
    this.#details.show(place.id);
  }

  /** A view that is left stops loading; it asks again when the reader comes back. */
  #leaveOthers(view: View): void {
    const parts = { list: this.#list, tree: this.#tree, unknown: this.#unknown };
    for (const [name, part] of Object.entries(parts))
      if (name !== view && part.stop()) this.#shown.delete(name);
  }

  get #records(): TimeList | CauseTree {
    return this.#place.view === 'tree' ? this.#tree : this.#list;
  }

  #showList({ selection, id }: Place): void {
    const isNew = this.#once('list', selection.toString(), () => this.#list.show(selection, id));
    if (!isNew && id !== undefined) this.#list.select(id);
  }

  #showTree({ selection, id, about }: Place): void {
    byId('tree-whole', HTMLElement).hidden = about === undefined;
    const isNew = this.#once('tree', about === undefined ? `of ${selection}` : about, () =>
      about === undefined ? this.#tree.showSelection(selection) : this.#tree.showRecord(about),
    );
    if (!isNew && id !== undefined) this.#tree.select(id, false);
  }

  /** Asks for what a part shows, unless it shows it already; what fails is asked for again. */
  #once(part: string, key: string, show: () => Promise<void>): boolean {
    if (this.#shown.get(part) === key) return false;
    this.#shown.set(part, key);
    show().catch((error: unknown) => {
      this.#shown.delete(part);
      this.fail(error);
    });
    return true;
  }

  /** Shows a record that the details name; a tree that has it keeps the focus. */
  #follow(id: string): void {
    if (this.#place.view === 'tree' && this.#tree.select(id, true)) return;
    this.#visit({ ...this.#place, id });
    byId('details', HTMLElement).focus();
  }

  /** Makes the links that depend on the place. */
  #link(): void {
    this.#details.link();
    const { selection } = this.#place;
    for (const view of VIEWS) {
      const link = byId(`view-${view}`, HTMLAnchorElement);
      link.href = hashOf({ ...this.#place, view });
      if (view === this.#place.view) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    byId('tree-whole', HTMLAnchorElement).href = hashOf({ ...this.#place, about: undefined });
    const since = selection.get('since') ?? this.#since;
    const words = ['vcml', 'query', ...argumentsOf(withValues(selection, { since }))];
    byId('command', HTMLElement).textContent =
      this.#input === '' ? `${commandLine(words)} INPUT…` : commandLine([...words, this.#input]);
  }
}

/** The parts of the page, and the views that they belong to. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  timeline: ['list', 'tree'],
  panes: ['list', 'tree'],
  export: ['list', 'tree'],
  'list-pane': ['list'],
  'tree-pane': ['tree'],
  'unknown-pane': ['unknown'],
};

/** Has the browser save records. It sends no token then, but a ticket, which is good once. */
async function download(query: URLSearchParams): Promise<void> {
  const given = await new Asker().ask<{ readonly ticket: string }>('/api/ticket');
  if (given === undefined) return;
  const href = `/api/export?${withValues(query, given)}`;
  element('a', { href, download: '' }).click();
}

/** Copies the address of the place; it has no token. */
async function copyLink(hash: string): Promise<void> {
  const copied = byId('copied', HTMLElement);
  try {
    await navigator.clipboard.writeText(`${location.origin}/${hash}`);
    copied.textContent = 'Link copied';
  } catch {
    copied.textContent = 'The browser did not allow it: copy the address of this page';
  }
}
