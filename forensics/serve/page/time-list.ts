import { Describer } from '../../report/page/describe.ts';
import { byId } from '../../report/page/dom.ts';
import { VirtualTree } from '../../report/page/list.ts';
import { rowMaker } from '../../report/page/row.ts';
import { counted } from '../../report/page/text.ts';
import type { Chain, RecordPage } from './answers.ts';
import { Asker } from './ask.ts';
import type { Host } from './host.ts';
import { LoadedRecords } from './loaded.ts';
import { withValues } from './place.ts';
import { isNameOf, questionAbout } from './record-name.ts';
import { Stale } from './stale.ts';
import { PageWindow } from './window.ts';

const LIMIT = '250';
/** So many lines before the last one, the next page is asked for. */
const AHEAD = 150;

type Edge = 'first' | 'last';

/** The list of records by time; only a part of it is loaded. */
export class TimeList {
  readonly #host: Host;
  readonly #list: VirtualTree;
  readonly #asker = new Asker();
  readonly #stale: Stale;
  readonly #window = new PageWindow();
  /** what the window is a part of */
  #selection = new URLSearchParams();
  readonly #records = new LoadedRecords();
  #matched: number | undefined;

  constructor(host: Host) {
    this.#host = host;
    const tree = byId('records', HTMLElement);
    this.#stale = new Stale(tree);
    // before the keys of the list, which end at what is loaded
    tree.addEventListener('keydown', (event) => this.#onKey(event), true);
    this.#list = new VirtualTree(tree, {
      rowFor: rowMaker(new Describer(this.#records), true),
      isCollapsed: () => false,
      isMatch: () => true,
      onSelect: (record) => host.select(this.#records.nameOf(record)),
      onOpen: () => byId('details', HTMLElement).focus(),
      onToggle: () => {},
      onExpandBelow: () => {},
      onSight: (first, last) => this.#onSight(first, last),
    });
  }

  focus(): void {
    this.#list.focus();
  }

  /** Selects a record if it is in the list, without moving the focus. */
  select(id: string): void {
    const record = this.#find(id);
    if (record !== undefined) this.#list.select(record, { focus: false, quiet: true });
  }

  /** Shows the records of a selection: from their beginning, or from the time of a record. */
  async show(selection: URLSearchParams, id: string | undefined): Promise<void> {
    this.#stale.is = true;
    byId('list-status', HTMLElement).textContent = 'Loading…';
    try {
      const time = id === undefined ? undefined : await this.#timeOf(id);
      if (id !== undefined && time === undefined) return;
      const records = await this.#start(selection, time === undefined ? {} : { from: time });
      if (records?.length === 0 && this.#host.place.id === undefined) this.#host.select(undefined);
    } catch (error) {
      this.#showNothing();
      throw error;
    }
  }

  /** Returns the time of a record; undefined: a newer question came in between. */
  async #timeOf(id: string): Promise<string | undefined> {
    const chain = await this.#asker.ask<Chain>(...questionAbout('record', id));
    if (chain === undefined) return undefined;
    const records = new LoadedRecords();
    const [record = -1] = records.add(chain);
    return `${records.timeOf(record)}`;
  }

  #showNothing(): void {
    this.#stale.is = false;
    byId('list-status', HTMLElement).textContent = '';
    this.#records.drop(this.#window.records);
    this.#window.start({ records: [], prev: null, next: null, before: 0 });
    this.#list.show(this.#lines(), { quiet: true });
  }

  /** Stops loading; returns whether there was something to stop. */
  stop(): boolean {
    return this.#asker.stop();
  }

  async #start(
    selection: URLSearchParams,
    where: Readonly<Record<string, string>>,
  ): Promise<readonly number[] | undefined> {
    const page = await this.#ask(selection, where);
    if (page === undefined) return undefined;
    this.#stale.is = false;
    this.#selection = selection;
    this.#records.drop(this.#window.records);
    this.#matched = page.matched === null ? undefined : Number(page.matched);
    const records = this.#records.add(page);
    this.#window.start(this.#pageOf(page, records));
    const of = this.#matched === undefined ? 'Records' : counted(this.#matched, 'record');
    byId('list-status', HTMLElement).textContent = of;
    const { id } = this.#host.place;
    const wanted = id === undefined ? undefined : this.#find(id);
    const quiet = id !== undefined;
    this.#list.show(this.#lines(), wanted === undefined ? { quiet } : { quiet, wanted });
    return records;
  }

  #find(id: string): number | undefined {
    return this.#window.records.find((one) => isNameOf(id, this.#records.nameOf(one)));
  }

  async #more(edge: Edge): Promise<void> {
    const cursor = edge === 'last' ? this.#window.next : this.#window.prev;
    if (cursor === undefined || this.#asker.isBusy) return;
    const where = edge === 'last' ? { after: cursor } : { before: cursor };
    const page = await this.#ask(this.#selection, where);
    if (page === undefined) return;
    const shown = this.#pageOf(page, this.#records.add(page));
    const slide = edge === 'last' ? this.#window.append(shown) : this.#window.prepend(shown);
    this.#records.drop(slide.dropped);
    this.#list.extend(this.#lines(), slide.shift);
  }

  #ask(
    selection: URLSearchParams,
    where: Readonly<Record<string, string>>,
  ): Promise<RecordPage | undefined> {
    return this.#asker.ask('/api/records', withValues(selection, { ...where, limit: LIMIT }));
  }

  #pageOf(page: RecordPage, records: readonly number[]) {
    const { prev, next, position } = page;
    return { records, prev, next, before: position == null ? undefined : Number(position) };
  }

  #lines() {
    return this.#window.lines(this.#records.count, this.#matched);
  }

  #onSight(first: number, last: number): void {
    const edge =
      last > this.#window.records.length - AHEAD ? 'last' : first < AHEAD ? 'first' : undefined;
    if (edge !== undefined) this.#more(edge).catch((error) => this.#host.fail(error));
  }

  #onKey(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (!this.#window.goesBack) return;
    const { next, prev } = this.#window;
    const edge =
      event.key === 'End' && next !== undefined
        ? 'last'
        : event.key === 'Home' && prev !== undefined
          ? 'first'
          : undefined;
    if (edge === undefined) return;
    this.#jump(edge).catch((error) => this.#host.fail(error));
    event.preventDefault();
    event.stopPropagation();
  }

  async #jump(edge: Edge): Promise<void> {
    const where = edge === 'last' ? { before: 'end' } : {};
    const records = await this.#start(this.#selection, where);
    const record = edge === 'last' ? records?.at(-1) : records?.[0];
    if (record !== undefined) this.#list.select(record);
  }
}
