import { element } from './dom.ts';
import { visible } from './text.ts';

/** What the details of a record consist of. */
export interface Details {
  readonly title: string;
  readonly time: string;
  readonly flags: readonly string[];
  readonly notes: readonly string[];
  /** the causes up to the root, the nearest first, and why the chain ends there */
  readonly because: readonly (Node | string)[];
  readonly ledTo: readonly HTMLElement[];
  readonly fields: Iterable<readonly [name: string, value: unknown]>;
  /** what a reader can do with the record */
  readonly actions?: readonly HTMLElement[];
  /** what else there is to say about its causes */
  readonly more?: readonly HTMLElement[];
}

/** Shows the details of a record in a panel. */
export function fillPanel(panel: HTMLElement, details: Details): void {
  const { title, time, flags, notes, because, ledTo, fields, actions = [], more = [] } = details;
  panel.replaceChildren(
    element('h2', { id: 'details-heading', dir: 'ltr' }, title),
    element('p', {}, `${time} UTC`),
    ...actions,
    ...flagList(flags),
    ...(notes.length > 0 ? [element('h3', {}, 'Notes'), list('ul', notes.map(visible))] : []),
    element('h3', {}, 'Because of'),
    list('ol', because),
    ...more,
    element('h3', {}, 'Led to'),
    ...ledTo,
    element('h3', {}, 'All fields'),
    fieldTable(fields),
  );
  panel.scrollTop = 0;
}

/** Shows that no record is selected. */
export function clearPanel(panel: HTMLElement): void {
  panel.replaceChildren(
    element('h2', { id: 'details-heading' }, 'Details'),
    element('p', {}, 'No record is selected.'),
  );
}

/** Makes a list of records. */
export function list(kind: 'ol' | 'ul', items: readonly (Node | string)[]): HTMLElement {
  return element(kind, { class: 'records' }, ...items.map((item) => element('li', {}, item)));
}

function flagList(flags: readonly string[]): readonly HTMLElement[] {
  if (flags.length === 0) return [];
  return [element('p', {}, ...flags.map((flag) => element('span', { class: 'flag' }, flag)))];
}

function fieldTable(fields: Iterable<readonly [name: string, value: unknown]>): HTMLElement {
  const rows: HTMLElement[] = [];
  for (const [name, value] of fields)
    if (name !== 'resource' || typeof value !== 'object' || value === null)
      rows.push(fieldRow(name.replace(/^attributes\./, ''), value));
    else for (const [key, inner] of Object.entries(value)) rows.push(fieldRow(key, inner));
  return element('table', { class: 'fields' }, element('tbody', {}, ...rows));
}

function fieldRow(name: string, value: unknown): HTMLElement {
  const cell = element('td', { dir: 'ltr' });
  if (Array.isArray(value)) cell.append(...value.map((item) => element('div', {}, visible(item))));
  else cell.append(value === null ? '–' : visible(value));
  return element('tr', {}, element('th', { scope: 'row', dir: 'ltr' }, visible(name)), cell);
}
