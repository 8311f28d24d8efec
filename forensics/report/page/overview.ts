import type { Packed } from '../packed.ts';
import type { Describer } from './describe.ts';
import { button, byId, element } from './dom.ts';
import type { Records } from './records.ts';
import { counted, visible } from './text.ts';

/** With more kinds the records are forged: the agent knows three gaps and eight losses. */
const KINDS_MAX = 30;
const INPUTS_MAX = 4;

/** A kind of hole, how often it occurs and, for losses, how many records it took. */
interface Kind {
  readonly sign: string;
  count: number;
  lost: number;
  /** whether a loss had no number */
  unknown: boolean;
}

/** Shows what the report contains and, prominently, what is missing in it. */
export function showOverview(
  packed: Packed,
  records: Records,
  describer: Describer,
  onShow: (kind: string) => void,
): void {
  const title = visible(packed.title);
  document.title = title;
  byId('title', HTMLElement).textContent = title;
  byId('facts', HTMLElement).append(...facts(packed, records));
  const kinds = kindsOf(records, describer);
  byId('holes', HTMLElement).append(...holeItems(packed, kinds, onShow));
  byId('show', HTMLSelectElement).append(
    new Option('everything', ''),
    new Option('all gaps and losses', 'missing'),
    ...[...kinds.keys()].map((kind) => new Option(kindText(kind), kind)),
  );
}

function facts(packed: Packed, records: Records): readonly HTMLElement[] {
  const { count, timeText, duration } = records;
  const time = count === 0 ? 'none' : `${timeText(0)} to ${timeText(duration)} UTC`;
  return [
    fact('Selection', visible(packed.selection)),
    fact('Records', count.toLocaleString('en')),
    fact('Time', time),
    fact('Read from', ...inputTexts(packed.inputs)),
  ];
}

/** Shows a few files in a line, and many in a list that can be opened. */
function inputTexts(inputs: Packed['inputs']): readonly (Node | string)[] {
  const texts = inputs.map(
    ({ path, records }) => `${visible(path)} (${counted(records, 'record')})`,
  );
  if (texts.length <= INPUTS_MAX) return [texts.join(', ') || 'nothing'];
  const summary = element('summary', {}, counted(texts.length, 'file'));
  const items = texts.map((text) => element('li', {}, text));
  return [element('details', {}, summary, element('ul', {}, ...items))];
}

function fact(name: string, ...texts: readonly (Node | string)[]): HTMLElement {
  return element('div', {}, element('dt', {}, name), element('dd', { dir: 'ltr' }, ...texts));
}

function kindsOf(records: Records, describer: Describer): ReadonlyMap<string, Kind> {
  const kinds = new Map<string, Kind>();
  for (let record = 0; record < records.count; record++) {
    const hole = describer.hole(record);
    if (hole === undefined) continue;
    const kind = kinds.get(hole.kind) ?? { sign: hole.sign, count: 0, lost: 0, unknown: false };
    const lost = records.attribute(record, 'vcml.loss.count');
    kind.count++;
    if (typeof lost === 'number') kind.lost += lost;
    else kind.unknown = true;
    kinds.set(hole.kind, kind);
  }
  const ranked = [...kinds].sort(([, one], [, other]) => rank(one) - rank(other));
  return new Map(ranked.slice(0, KINDS_MAX));
}

/** Ranks losses first, then by frequency. */
function rank({ sign, count }: Kind): number {
  return '‼⁇…'.indexOf(sign) - count / (count + 1);
}

function kindText(kind: string): string {
  if (kind === 'outside') return 'causes that are not in this report';
  return kind.replace(/^(gap|loss):/, '$1: ');
}

function holeItems(
  { inputs, warnings }: Packed,
  kinds: ReadonlyMap<string, Kind>,
  onShow: (kind: string) => void,
): readonly HTMLElement[] {
  const items: HTMLElement[] = [];
  for (const [kind, { sign, ...numbers }] of kinds) {
    const show = button('Show', () => onShow(kind));
    const text = `${sign} ${holeText(kind, numbers)}`;
    show.setAttribute('aria-label', `Show ${holeText(kind, numbers)}`);
    const tone = sign === '‼' ? 'loss' : sign === '⁇' ? 'gap' : '';
    items.push(element('li', { class: tone }, element('span', {}, text), show));
  }
  for (const { path, skippedLines } of inputs)
    if (skippedLines > 0)
      items.push(warning(`${counted(skippedLines, 'line')} skipped in ${visible(path)}`));
  items.push(...warnings.map((text) => warning(visible(text))));
  if (items.length === 0) items.push(element('li', {}, 'None in these records.'));
  return items;
}

function warning(text: string): HTMLElement {
  return element('li', { class: 'loss' }, element('span', { dir: 'ltr' }, `‼ ${text}`));
}

function holeText(kind: string, { count, lost, unknown }: Omit<Kind, 'sign'>): string {
  if (kind === 'outside') return `${counted(count, 'cause')} not in this report`;
  if (!kind.startsWith('loss:')) return `${counted(count, 'gap')}: ${kind.slice('gap:'.length)}`;
  const records = `${counted(lost, 'record')} lost${unknown ? ', and an unknown number' : ''}`;
  return `${counted(count, 'loss')}: ${kind.slice('loss:'.length)}, ${records}`;
}
