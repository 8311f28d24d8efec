import { plain } from '../../../record/visible.ts';
import type { Describer } from './describe.ts';
import { button, element } from './dom.ts';
import type { Records } from './records.ts';
import { holeText, shortTime } from './row.ts';
import { counted, visible } from './text.ts';
import type { Tree } from './tree.ts';

const CAUSES_MAX = 30;
const EFFECTS_MAX = 30;

/** The data of the details, and the handler of their links. */
export interface DetailsOptions {
  readonly records: Records;
  readonly tree: Tree;
  readonly describer: Describer;
  readonly onFollow: (record: number) => void;
}

/** Shows everything about a record. */
export function showDetails(panel: HTMLElement, record: number, options: DetailsOptions): void {
  const { records, describer } = options;
  const heading = element('h2', { id: 'details-heading', dir: 'ltr' });
  const notes = records.notes.get(plain(records.get(record, 'id'))) ?? [];
  heading.append(describer.title(record));
  panel.replaceChildren(
    heading,
    element('p', {}, `${describer.time(record)} UTC`),
    ...flagList(describer.flags(record)),
    ...(notes.length > 0 ? [element('h3', {}, 'Notes'), list('ul', notes.map(visible))] : []),
    element('h3', {}, 'Because of'),
    list('ol', causeItems(record, options)),
    element('h3', {}, 'Led to'),
    ...effectItems(record, options),
    element('h3', {}, 'All fields'),
    fieldTable(records.fields(record)),
  );
  panel.scrollTop = 0;
}

/** Shows that no record is selected. */
export function showNoDetails(panel: HTMLElement): void {
  panel.replaceChildren(
    element('h2', { id: 'details-heading' }, 'Details'),
    element('p', {}, 'No record is selected.'),
  );
}

function flagList(flags: readonly string[]): readonly HTMLElement[] {
  if (flags.length === 0) return [];
  return [element('p', {}, ...flags.map((flag) => element('span', { class: 'flag' }, flag)))];
}

/** Lists the causes up to the root, the nearest first, and why the chain ends there. */
function causeItems(record: number, options: DetailsOptions): readonly (Node | string)[] {
  const { tree, records, describer } = options;
  const causes: number[] = [];
  let root = record;
  for (let cause = tree.parents[record] ?? -1; cause >= 0; cause = tree.parents[cause] ?? -1) {
    causes.push(cause);
    root = cause;
  }
  const items: (Node | string)[] = causes.slice(0, CAUSES_MAX).map((cause) => link(cause, options));
  if (causes.length > CAUSES_MAX + 1)
    items.push(`${counted(causes.length - CAUSES_MAX - 1, 'more cause')} in between`);
  if (causes.length > CAUSES_MAX) items.push(link(root, options));
  const hole = describer.hole(root);
  if (hole !== undefined) items.push(holeText(hole));
  else if ((records.causes[root] ?? -1) >= 0) items.push('⁇ the causes form a circle');
  else items.push('a declared root: the chain begins here');
  return items;
}

function effectItems(record: number, options: DetailsOptions): readonly HTMLElement[] {
  const { tree } = options;
  const all = tree.effects[record] ?? 0;
  if (all === 0) return [element('p', {}, 'nothing in this report')];
  const items: (Node | string)[] = [];
  let direct = 0;
  for (let child = tree.firstChildren[record] ?? -1; child >= 0; ) {
    if (direct++ < EFFECTS_MAX) items.push(link(child, options));
    child = tree.nextSiblings[child] ?? -1;
  }
  if (direct > EFFECTS_MAX) items.push(`and ${(direct - EFFECTS_MAX).toLocaleString('en')} more`);
  const summary = `${counted(direct, 'record')} directly, ${all.toLocaleString('en')} in all`;
  return [element('p', {}, summary), list('ul', items)];
}

function link(record: number, { describer, onFollow }: DetailsOptions): HTMLElement {
  const time = shortTime(describer.time(record), false);
  return button(`${time}  ${describer.title(record)}`, () => onFollow(record));
}

function list(kind: 'ol' | 'ul', items: readonly (Node | string)[]): HTMLElement {
  return element(kind, { class: 'records' }, ...items.map((item) => element('li', {}, item)));
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
