import { rfc3339Of } from '../../../record/time.ts';
import { byId, element } from '../../report/page/dom.ts';
import { counted, fullTime, visible } from '../../report/page/text.ts';
import type { State, Unknown, UnknownCell } from './answers.ts';
import { Asker } from './ask.ts';
import type { Host } from './host.ts';
import { hashOf, nodesAndTimes, patternFor, withValues } from './place.ts';
import { Stale } from './stale.ts';

const ROWS = 100;

/** For each state: its sign, and its name in the key. */
const STATES: Readonly<Record<State, readonly [sign: string, words: string]>> = {
  complete: ['✓', 'complete'],
  losses: ['‼', 'records were lost'],
  holes: ['?', 'records are missing, and nothing explains it'],
  untold: ['¿', 'records are missing; rules may have withheld them'],
  deleted: ['∅', 'the store has deleted records'],
  withheld: ['⊘', 'rules withheld records from the export'],
  silent: ['…', 'silent: no record'],
  none: ['–', 'no agent known'],
};

/** The table that says for each node and each part of the time how complete the records are. */
export class UnknownTable {
  readonly #host: Host;
  readonly #asker = new Asker();
  readonly #table = byId('unknown-table', HTMLTableElement);
  readonly #stale = new Stale(this.#table);
  #answer: Unknown | undefined;
  #shown = ROWS;
  #row = 0;
  #column = 0;

  constructor(host: Host) {
    this.#host = host;
    byId('unknown-key', HTMLElement).append(
      ...Object.entries(STATES).map(([state, [sign, words]]) =>
        element(
          'li',
          {},
          element('span', { class: `cell ${state}`, 'aria-hidden': 'true' }, sign),
          words,
        ),
      ),
    );
    this.#table.setAttribute('role', 'grid');
    this.#table.addEventListener('keydown', (event) => this.#onKey(event));
    this.#table.addEventListener('focusin', (event) => this.#onFocus(event));
    this.#table.addEventListener('click', (event) => this.#onFocus(event));
    this.#table.addEventListener('dblclick', () => this.#open());
    byId('unknown-more', HTMLButtonElement).addEventListener('click', () => {
      this.#shown += ROWS;
      this.#draw();
    });
    const only = byId('unknown-flawed', HTMLInputElement);
    only.addEventListener('change', () => host.go({ isUnknownOnly: only.checked }));
  }

  async show(selection: URLSearchParams): Promise<void> {
    const status = byId('unknown-status', HTMLElement);
    status.textContent = 'Loading…';
    this.#stale.is = true;
    try {
      const answer = await this.#asker.ask<Unknown>('/api/unknown', nodesAndTimes(selection));
      if (answer === undefined) return;
      this.#stale.is = false;
      this.#answer = answer;
      this.#shown = ROWS;
      this.#row = 0;
      this.#column = 0;
      this.showNodes();
    } catch (error) {
      this.#stale.is = false;
      this.#answer = undefined;
      this.#table.replaceChildren();
      byId('unknown-cell', HTMLElement).textContent = '';
      status.textContent = '';
      throw error;
    }
  }

  /** Stops loading; returns whether there was something to stop. */
  stop(): boolean {
    return this.#asker.stop();
  }

  /** Shows all nodes, or only those with something unknown. */
  showNodes(): void {
    byId('unknown-flawed', HTMLInputElement).checked = this.#host.place.isUnknownOnly;
    this.#draw();
  }

  #rows(): Unknown['nodes'] {
    const all = this.#answer?.nodes ?? [];
    if (!this.#host.place.isUnknownOnly) return all;
    return all.filter(({ cells }) => cells.some(({ state }) => state !== 'complete'));
  }

  #draw(): void {
    const answer = this.#answer;
    if (answer === undefined || this.#stale.is) return;
    const rows = this.#rows();
    const shown = rows.slice(0, this.#shown);
    this.#table.replaceChildren(
      element('caption', { class: 'heard' }, 'Nodes and times, and what is known of each'),
      head(answer),
      element('tbody', {}, ...shown.map((row, index) => this.#line(row, index))),
    );
    this.#table.setAttribute('aria-rowcount', `${rows.length + 2}`);
    byId('unknown-more', HTMLButtonElement).hidden = shown.length === rows.length;
    byId('unknown-status', HTMLElement).textContent = statusOf(answer, rows.length);
    byId('unknown-cell', HTMLElement).textContent = '';
    this.#mark(0, 0, false);
  }

  #line({ node, cells }: Unknown['nodes'][number], index: number): HTMLElement {
    const name = element('th', { scope: 'row', dir: 'ltr', title: visible(node) }, visible(node));
    return element(
      'tr',
      { 'aria-rowindex': `${index + 3}` },
      name,
      ...cells.map((cell, column) =>
        element(
          'td',
          {
            role: 'gridcell',
            class: `cell ${cell.state}`,
            'aria-label': wordsOf(cell),
            title: `${visible(node)}, ${this.#timeOf(column)}: ${wordsOf(cell)}`,
          },
          STATES[cell.state]?.[0] ?? '?',
        ),
      ),
    );
  }

  #timeOf(column: number): string {
    return spanWords(this.#answer, column);
  }

  #cell(row: number, column: number): HTMLTableCellElement | undefined {
    return this.#table.tBodies[0]?.rows[row]?.cells[column + 1];
  }

  /** Makes a cell the one that Tab reaches. */
  #mark(row: number, column: number, focus: boolean): void {
    const before = this.#cell(this.#row, this.#column);
    if (before !== undefined) before.tabIndex = -1;
    const rows = this.#table.tBodies[0]?.rows.length ?? 0;
    const columns = this.#answer?.times.length ?? 0;
    this.#row = Math.max(0, Math.min(rows - 1, row));
    this.#column = Math.max(0, Math.min(columns - 1, column));
    const cell = this.#cell(this.#row, this.#column);
    if (cell === undefined) return;
    cell.tabIndex = 0;
    if (focus) cell.focus();
  }

  #onFocus(event: Event): void {
    const target = event.target instanceof Element ? event.target.closest('td') : null;
    const row = target?.closest('tr');
    if (target === null || row === null || row === undefined) return;
    this.#mark(row.sectionRowIndex, target.cellIndex - 1, event.type === 'click');
    const { place } = this.#host;
    const selection = this.#selectionOf();
    byId('unknown-cell', HTMLElement).replaceChildren(
      `${target.title} `,
      ...(selection === undefined
        ? []
        : [
            element(
              'a',
              { href: hashOf({ ...place, view: 'list', selection }) },
              'Show its records',
            ),
          ]),
    );
  }

  #onKey(event: KeyboardEvent): void {
    if (event.altKey || event.metaKey) return;
    const last = Number.MAX_SAFE_INTEGER;
    const moves: Readonly<Record<string, readonly [row: number, column: number]>> = {
      ArrowUp: [this.#row - 1, this.#column],
      ArrowDown: [this.#row + 1, this.#column],
      ArrowLeft: [this.#row, this.#column - 1],
      ArrowRight: [this.#row, this.#column + 1],
      PageUp: [this.#row - 10, this.#column],
      PageDown: [this.#row + 10, this.#column],
      Home: [event.ctrlKey ? 0 : this.#row, 0],
      End: [event.ctrlKey ? last : this.#row, last],
    };
    const move = moves[event.key];
    if (move !== undefined) this.#mark(...move, true);
    else if (event.key === 'Enter') this.#open();
    else return;
    event.preventDefault();
  }

  /** Shows the records of the current cell. */
  #open(): void {
    const selection = this.#selectionOf();
    if (selection !== undefined)
      this.#host.go({ view: 'list', about: undefined, id: undefined, selection });
  }

  #selectionOf(): URLSearchParams | undefined {
    const answer = this.#answer;
    const from = answer?.times[this.#column];
    const node = this.#rows()[this.#row]?.node;
    if (answer === undefined || from === undefined || node === undefined) return undefined;
    const since = rfc3339Of(BigInt(from)) ?? '';
    const until = rfc3339Of(BigInt(from) + BigInt(answer.step)) ?? '';
    const pattern = patternFor('node', node);
    return withValues(this.#host.place.selection, { since, until, node: pattern });
  }
}

function head({ times, step }: Unknown): HTMLElement {
  const days: { day: string; columns: number }[] = [];
  for (const time of times) {
    const day = fullTime(BigInt(time)).slice(0, 10);
    const last = days.at(-1);
    if (last?.day === day) last.columns++;
    else days.push({ day, columns: 1 });
  }
  const isDaily = BigInt(step) >= 86_400_000_000_000n;
  const corner = element('th', { scope: 'col', rowspan: '2' }, 'Node');
  return element(
    'thead',
    {},
    element(
      'tr',
      { 'aria-rowindex': '1' },
      corner,
      ...days.map(({ day, columns }) =>
        element(
          'th',
          { scope: 'colgroup', colspan: `${columns}` },
          columns > 3 || isDaily ? day : day.slice(5),
        ),
      ),
    ),
    element(
      'tr',
      { 'aria-rowindex': '2' },
      ...times.map((time) => element('th', { scope: 'col' }, fullTime(BigInt(time)).slice(11, 13))),
    ),
  );
}

function spanWords(answer: Unknown | undefined, column: number): string {
  const from = answer?.times[column];
  if (answer === undefined || from === undefined) return '';
  const end = BigInt(from) + BigInt(answer.step);
  return `${fullTime(BigInt(from)).slice(0, 16)} to ${fullTime(end).slice(0, 16)} UTC`;
}

function wordsOf({ state, records, lost, withheld, deleted, missing }: UnknownCell): string {
  const [, words] = STATES[state] ?? ['?', 'not known'];
  return [
    words,
    counted(records, 'record'),
    ...(state === 'losses' || lost !== 0 ? [`${counted(lost, 'record')} lost`] : []),
    ...(missing > 0 ? [`${counted(missing, 'record')} missing`] : []),
    ...(deleted > 0 ? [`${counted(deleted, 'record')} deleted`] : []),
    ...(withheld > 0 ? [`${counted(withheld, 'record')} withheld`] : []),
  ].join(', ');
}

function statusOf({ nodes, nodesLeftOut }: Unknown, rows: number): string {
  const of = rows === nodes.length ? '' : ` of ${nodes.length.toLocaleString('en')}`;
  const left =
    nodesLeftOut === 0
      ? ''
      : `; ${counted(nodesLeftOut, 'node')} left out: select nodes to see them`;
  return `${counted(rows, 'node')}${of}${left}`;
}
