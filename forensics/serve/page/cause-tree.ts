import { Describer } from '../../report/page/describe.ts';
import { byId, element } from '../../report/page/dom.ts';
import { VirtualTree } from '../../report/page/list.ts';
import { rowMaker } from '../../report/page/row.ts';
import { counted } from '../../report/page/text.ts';
import type { Branch, Chain } from './answers.ts';
import { Asker } from './ask.ts';
import type { Host } from './host.ts';
import { LazyTree } from './lazy-tree.ts';
import { LoadedRecords } from './loaded.ts';
import { withValues } from './place.ts';
import { isNameOf, questionAbout } from './record-name.ts';
import { Stale } from './stale.ts';

const LIMIT = '100';
const AHEAD = 60;
/** How many records `*` opens at once. */
const BELOW_MAX = 500;

/** The tree of causes, whose effects are loaded when they are opened. */
export class CauseTree {
  readonly #host: Host;
  readonly #records = new LoadedRecords();
  readonly #describer = new Describer(this.#records);
  readonly #view: VirtualTree;
  readonly #stale: Stale;
  readonly #roots = new Asker();
  readonly #branches = new Asker();
  #tree = new LazyTree(() => this.#records.addLine());
  /** the question for further roots; undefined: all are here */
  #next: URLSearchParams | undefined;

  constructor(host: Host) {
    this.#host = host;
    const rowFor = rowMaker(this.#describer, true);
    const causes = byId('causes', HTMLElement);
    this.#stale = new Stale(causes);
    this.#view = new VirtualTree(causes, {
      rowFor: (line) => (this.#records.has(line) ? rowFor(line) : this.#restRow(line)),
      isCollapsed: (line) => this.#tree.nodes.get(line)?.isOpen !== true,
      isMatch: () => true,
      onSelect: (line) => {
        if (this.#records.has(line)) host.select(this.#records.nameOf(line));
      },
      onOpen: (line) => {
        if (this.#records.has(line)) byId('details', HTMLElement).focus();
        else void this.#loadRest(line);
      },
      onToggle: (line, closed) => void this.#toggle(line, closed),
      onExpandBelow: (line) => void this.#openBelow(line),
      onSight: (_, last) => void this.#onSight(last),
    });
  }

  focus(): void {
    this.#view.focus();
  }

  /** Selects a record if the tree has it; returns whether it has. */
  select(id: string, focus: boolean): boolean {
    for (const [record] of this.#tree.nodes) {
      if (!isNameOf(id, this.#records.nameOf(record))) continue;
      this.#reveal(record);
      this.#view.select(record, { focus, quiet: !focus });
      return true;
    }
    return false;
  }

  /** Shows the records of a selection that nothing in it caused. */
  async showSelection(selection: URLSearchParams): Promise<void> {
    const query = withValues(selection, { limit: LIMIT });
    const branch = await this.#load<Branch>('/api/tree', query);
    if (branch === undefined) return;
    this.#clear('this selection');
    this.#addRoots(query, branch);
    this.#show();
  }

  /** Shows a record below its causes. */
  async showRecord(about: string): Promise<void> {
    const chain = await this.#load<Chain>(...questionAbout('record', about));
    if (chain === undefined) return;
    this.#clear('these inputs');
    this.#addChain(chain);
    this.#show(chain.id);
  }

  /** Stops loading; returns whether there was something to stop. */
  stop(): boolean {
    const [hadRoots, hadBranches] = [this.#roots.stop(), this.#branches.stop()];
    return hadRoots || hadBranches;
  }

  /** Asks for another tree; undefined: a newer question came in between. */
  async #load<Answer>(path: string, query?: URLSearchParams): Promise<Answer | undefined> {
    this.#stale.is = true;
    status('Loading…');
    try {
      return await this.#roots.ask<Answer>(path, query);
    } catch (error) {
      this.#clear('');
      this.#view.show(this.#lines());
      status('');
      throw error;
    }
  }

  #clear(whole: string): void {
    this.#stale.is = false;
    this.#branches.stop();
    this.#records.whole = whole;
    this.#records.drop([...this.#tree.nodes.keys()]);
    this.#tree = new LazyTree(() => this.#records.addLine());
    this.#next = undefined;
  }

  #addRoots(query: URLSearchParams, branch: Branch): void {
    this.#next = branch.next === null ? undefined : withValues(query, { after: branch.next });
    for (const [index, record] of this.#records.add(branch, branch.notes).entries())
      this.#addRoot(record, branch.children[index]);
  }

  /** Adds a root; if it names a cause, that is not here. */
  #addRoot(record: number, effects: number | undefined): void {
    this.#records.endAt(record);
    this.#tree.addRoot(record, effects);
  }

  #addChain(chain: Chain): void {
    const downwards = this.#records.add(chain, chain.notes).toReversed();
    for (const [index, record] of downwards.entries()) {
      const isLast = index === downwards.length - 1;
      const effects = isLast ? chain.children : undefined;
      const above = downwards[index - 1];
      if (above === undefined) this.#addRoot(record, effects);
      else this.#tree.addChild(above, record, effects);
      const node = this.#tree.nodes.get(record);
      if (node !== undefined) node.isOpen = !isLast;
    }
  }

  #show(first?: string): void {
    const { id } = this.#host.place;
    const all = [...this.#tree.nodes.keys()];
    const name = id ?? first;
    const wanted =
      name === undefined ? undefined : all.find((one) => isNameOf(name, this.#records.nameOf(one)));
    const quiet = id !== undefined;
    this.#view.show(this.#lines(), wanted === undefined ? { quiet } : { quiet, wanted });
    this.#count();
    if (this.#tree.roots.length === 0 && id === undefined) this.#host.select(undefined);
  }

  #count(): void {
    const { about } = this.#host.place;
    const roots = this.#tree.roots.length;
    const more = this.#next === undefined ? '' : ' and more';
    status(
      about === undefined ? `${counted(roots, 'beginning')}${more}` : 'one record and its causes',
    );
  }

  #lines() {
    return this.#tree.lines(this.#records.count);
  }

  async #toggle(line: number, closed: boolean): Promise<void> {
    const node = this.#tree.nodes.get(line);
    if (node === undefined) return;
    if (!closed && node.children.length === 0) await this.#loadBelow(line);
    node.isOpen = !closed && node.children.length > 0;
    this.#view.extend(this.#lines(), 0);
  }

  async #openBelow(line: number): Promise<void> {
    const open = [line];
    for (const record of open) {
      const node = this.#tree.nodes.get(record);
      if (node === undefined || open.length > BELOW_MAX) continue;
      if (node.children.length === 0 && this.#tree.hasChildren(record))
        if (!(await this.#loadBelow(record))) break;
      node.isOpen = node.children.length > 0;
      open.push(...node.children);
    }
    this.#view.extend(this.#lines(), 0);
  }

  async #loadRest(line: number): Promise<void> {
    const record = this.#tree.restOf(line);
    const node = this.#tree.nodes.get(record ?? -1);
    if (record === undefined || node === undefined) return;
    const before = new Set(node.children);
    await this.#loadBelow(record);
    const added = node.children.find((child) => !before.has(child));
    this.#view.extend(this.#lines(), 0);
    this.#view.select(added ?? record);
  }

  /** Loads effects of a record that are not here; returns whether the tree may be shown again. */
  async #loadBelow(record: number): Promise<boolean> {
    const tree = this.#tree;
    const node = tree.nodes.get(record);
    const name = this.#records.nameOf(record);
    if (node === undefined || name === undefined || node.next === null) return true;
    const after = typeof node.next === 'string' ? { after: node.next } : {};
    const question = questionAbout('children', name, { ...after, limit: LIMIT });
    const branch = await this.#more(this.#branches, ...question);
    if (branch === undefined) return false;
    const known = new Set([...tree.nodes.keys()].map((one) => this.#records.nameOf(one)));
    for (const [index, child] of this.#records.add(branch, branch.notes).entries())
      if (!known.has(this.#records.nameOf(child)))
        tree.addChild(record, child, branch.children[index]);
    node.next = branch.next;
    if (branch.next === null) node.effects = node.children.length;
    node.children.sort((one, other) =>
      Number(this.#records.timeOf(one) - this.#records.timeOf(other)),
    );
    return true;
  }

  async #onSight(last: number): Promise<void> {
    const query = this.#next;
    if (query === undefined || this.#roots.isBusy) return;
    if (last < this.#lines().records.length - AHEAD) return;
    const branch = await this.#more(this.#roots, '/api/tree', query);
    if (branch === undefined) return;
    this.#addRoots(query, branch);
    this.#view.extend(this.#lines(), 0);
    this.#count();
  }

  #reveal(record: number): void {
    let above = this.#tree.nodes.get(record)?.parent ?? -1;
    for (; above >= 0; above = this.#tree.nodes.get(above)?.parent ?? -1) {
      const node = this.#tree.nodes.get(above);
      if (node !== undefined) node.isOpen = true;
    }
    this.#view.extend(this.#lines(), 0);
  }

  #restRow(line: number): HTMLElement {
    const record = this.#tree.restOf(line) ?? -1;
    const isAsked = this.#tree.nodes.get(record)?.next !== undefined;
    const text = `${isAsked ? 'more' : 'other'} effects of ${this.#describer.title(record)}`;
    const row = element(
      'div',
      { class: 'row rest' },
      element('span', { class: 'twisty', 'aria-hidden': 'true' }),
      element('bdi', { class: 'command', dir: 'ltr' }, `⋯ load ${text}`),
    );
    row.addEventListener('click', () => void this.#loadRest(line));
    return row;
  }

  /** Asks for more of the present tree. */
  async #more(asker: Asker, path: string, query: URLSearchParams): Promise<Branch | undefined> {
    try {
      return await asker.ask<Branch>(path, query);
    } catch (error) {
      this.#host.fail(error);
      return undefined;
    }
  }
}

function status(text: string): void {
  byId('tree-status', HTMLElement).textContent = text;
}
