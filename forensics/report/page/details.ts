import type { Describer } from './describe.ts';
import { button, element } from './dom.ts';
import { fillPanel, list } from './panel.ts';
import type { Records } from './records.ts';
import { holeText, shortTime } from './row.ts';
import { counted } from './text.ts';
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
  fillPanel(panel, {
    title: describer.title(record),
    time: describer.time(record),
    flags: describer.flags(record),
    notes: records.notesOf(record),
    because: causeItems(record, options),
    ledTo: effectItems(record, options),
    fields: records.fields(record),
  });
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
