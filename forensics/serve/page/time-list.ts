import { Describer } from '../../report/page/describe.ts';
import { byId } from '../../report/page/dom.ts';
import { VirtualTree } from '../../report/page/list.ts';
import { rowMaker } from '../../report/page/row.ts';
import { counted } from '../../report/page/text.ts';
import type { RecordPage } from './answers.ts';
import { Asker } from './ask.ts';
import type { Host } from './host.ts';
import { LoadedRecords } from './loaded.ts';
import { withValues } from './place.ts';
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
  readonly #window = new PageWindow();
  #selection = new URLSearchParams();
  readonly #records = new LoadedRecords();
  #matched: number | undefined;

  constructor(host: Host) {
    this.#host = host;
    const tree = byId('records', HTMLElement);
    // before the keys of the list, which end at what is loaded
    tree.addEventListener('keydown', (event) => this.#onKey(event), true);
    this.#list = new VirtualTree(tree, {
      rowFor: rowMaker(new Describer(this.#records), true),
      isCollapsed: () => false,
      isMatch: () => true,
      onSelect: (record) => host.select(this.#records.idOf(record)),
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
  async show(selection: URLSearchParams, about?: { id: string; time: string }): Promise<void> {
    this.#selection = selection;
    this.#matched = undefined;
    const status = byId('list-status', HTMLElement);
    status.textContent = 'Loading…';
    const records = await this.#start(about === undefined ? {} : { from: about.time }, about?.id);
    if (records === undefined && !this.#asker.isBusy) this.#showNothing();
    if (records === undefined) return;
    if (records.length === 0 && about === undefined) this.#host.select(undefined);
  }

  #showNothing(): void {
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
    where: Readonly<Record<string, string>>,
    id?: string,
  ): Promise<readonly number[] | undefined> {
    const page = await this.#ask(where);
    if (page === undefined) return undefined;
    this.#records.drop(this.#window.records);
    if (page.matched !== null) this.#matched = Number(page.matched);
    const records = this.#records.add(page);
    this.#window.start(this.#pageOf(page, records));
    const of = this.#matched === undefined ? 'Records' : counted(this.#matched, 'record');
    byId('list-status', HTMLElement).textContent = of;
    const wanted = id === undefined ? undefined : this.#find(id);
    const quiet = id !== undefined;
    this.#list.show(this.#lines(), wanted === undefined ? { quiet } : { quiet, wanted });
    return records;
  }

  #find(id: string): number | undefined {
    return this.#window.records.find((one) => this.#records.idOf(one) === id);
  }

  async #more(edge: Edge): Promise<void> {
    const cursor = edge === 'last' ? this.#window.next : this.#window.prev;
    if (cursor === undefined || this.#asker.isBusy) return;
    const page = await this.#ask(edge === 'last' ? { after: cursor } : { before: cursor });
    if (page === undefined) return;
    const shown = this.#pageOf(page, this.#records.add(page));
    const slide = edge === 'last' ? this.#window.append(shown) : this.#window.prepend(shown);
    this.#records.drop(slide.dropped);
    this.#list.extend(this.#lines(), slide.shift);
  }

  async #ask(where: Readonly<Record<string, string>>): Promise<RecordPage | undefined> {
    const query = withValues(this.#selection, { ...where, limit: LIMIT });
    try {
      return await this.#asker.ask<RecordPage>('/api/records', query);
    } catch (error) {
      this.#host.fail(error);
      return undefined;
    }
  }

  #pageOf(page: RecordPage, records: readonly number[]) {
    const { prev, next, position } = page;
    return { records, prev, next, before: position == null ? undefined : Number(position) };
  }

  #lines() {
    return this.#window.lines(this.#records.count, this.#matched);
  }

  #onSight(first: number, last: number): void {
    if (last > this.#window.records.length - AHEAD) void this.#more('last');
    else if (first < AHEAD) void this.#more('first');
  }

  #onKey(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (!this.#window.goesBack) return;
    if (event.key === 'End' && this.#window.next !== undefined) void this.#jump('last');
    else if (event.key === 'Home' && this.#window.prev !== undefined) void this.#jump('first');
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  async #jump(edge: Edge): Promise<void> {
    const records = await this.#start(edge === 'last' ? { before: 'end' } : {});
    const record = edge === 'last' ? records?.at(-1) : records?.[0];
    if (record !== undefined) this.#list.select(record);
  }
}
