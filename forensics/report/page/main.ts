import type { Packed } from '../packed.ts';
import { countBars } from './bars.ts';
import { Describer } from './describe.ts';
import { showDetails } from './details.ts';
import { byId, element } from './dom.ts';
import { type Filter, FilterIndex, suggestions } from './filter.ts';
import { VirtualTree } from './list.ts';
import { showOverview } from './overview.ts';
import { clearPanel } from './panel.ts';
import { unpackRecords } from './records.ts';
import { rowMaker } from './row.ts';
import { counted } from './text.ts';
import { type Span, Timeline } from './timeline.ts';
import { expandBelow, growTree, linesOfList, linesOfTree } from './tree.ts';

const DAY_NS = 86_400e9;

start(JSON.parse(byId('data', HTMLScriptElement).textContent) as Packed);

function start(packed: Packed): void {
  const records = unpackRecords(packed);
  const tree = growTree(records.causes);
  const describer = new Describer(records);
  const index = new FilterIndex(records, describer);
  const collapsed = new Uint8Array(records.count);
  const whole: Span = { from: 0, to: records.duration };
  const spans = [whole];
  let matches = index.matching(readFilter());

  const form = byId('filters', HTMLFormElement);
  const details = byId('details', HTMLElement);
  const list = new VirtualTree(byId('records', HTMLElement), {
    rowFor: rowMaker(describer, records.duration > DAY_NS),
    isCollapsed: (record) => collapsed[record] === 1,
    isMatch: (record) => matches[record] === 1,
    onSelect: (record) => showDetails(details, record, { records, tree, describer, onFollow }),
    onOpen: () => details.focus(),
    onToggle(record, closed) {
      collapsed[record] = closed ? 1 : 0;
      showLines();
    },
    onExpandBelow(record) {
      expandBelow(tree, record, collapsed);
      showLines();
    },
  });
  const timeline = new Timeline(byId('bars', HTMLElement), {
    timeText: records.timeText,
    onZoom: (span) => zoom(...spans, span),
    onZoomOut: () => zoom(...spans.slice(0, -1)),
  });

  /** Shows everything again after a change of the filter or the time. */
  function filter(): void {
    const span = spans.at(-1) ?? whole;
    const kept = index.matching(readFilter());
    timeline.show(countBars(records.times, index.holes, kept, span), span);
    byId('from', HTMLElement).textContent = records.timeText(span.from);
    byId('to', HTMLElement).textContent = records.timeText(span.to);
    if (span !== whole) keepTime(kept, records.times, span);
    matches = kept;
    const found = kept.reduce((sum, one) => sum + one, 0);
    const of = found === records.count ? '' : ` of ${records.count.toLocaleString('en')}`;
    byId('status', HTMLElement).textContent = `${counted(found, 'record')}${of}`;
    showLines();
  }

  function showLines(): void {
    const asTree = byId('order', HTMLSelectElement).value === 'cause';
    const lines = asTree ? linesOfTree(tree, matches, collapsed) : linesOfList(matches);
    list.show(lines);
    if (lines.records.length === 0) clearPanel(details);
  }

  /** Expands everything, because a new filter's matches could be in collapsed lines. */
  function refilter(): void {
    collapsed.fill(0);
    filter();
  }

  function zoom(...path: readonly Span[]): void {
    spans.splice(0, spans.length, ...(path.length > 0 ? path : [whole]));
    refilter();
  }

  /** Selects a record, and undoes whatever hides it. */
  function onFollow(record: number): void {
    for (let above = record; above >= 0; above = tree.parents[above] ?? -1) collapsed[above] = 0;
    showLines();
    if (!list.has(record)) {
      form.reset();
      zoom();
    }
    list.select(record);
  }

  function showKind(kind: string): void {
    form.reset();
    byId('show', HTMLSelectElement).value = kind;
    refilter();
    list.focus();
  }

  showOverview(packed, records, describer, showKind);
  suggest('places', index.places);
  suggest('users', index.users);
  suggest('executables', index.executables);
  form.addEventListener('input', refilter);
  form.addEventListener('submit', (event) => event.preventDefault());
  // the fields become empty only after this event
  form.addEventListener('reset', () => setTimeout(refilter));
  onClick('zoom-out', () => zoom(...spans.slice(0, -1)));
  onClick('zoom-reset', () => zoom());
  onClick('expand', refilter);
  onClick('collapse', () => {
    collapsed.fill(1);
    showLines();
  });
  // the panel scrolls, so that keys must reach it
  details.tabIndex = 0;
  details.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') list.focus();
  });
  filter();
}

function readFilter(): Filter {
  const text = (id: string): string => byId(id, HTMLInputElement).value;
  return {
    search: text('search'),
    place: text('place'),
    user: text('user'),
    executable: text('executable'),
    show: byId('show', HTMLSelectElement).value,
  };
}

function keepTime(kept: Uint8Array, times: Float64Array, { from, to }: Span): void {
  for (const [record, time] of times.entries()) if (!(time >= from && time <= to)) kept[record] = 0;
}

function suggest(id: string, values: readonly string[]): void {
  const options = suggestions(values).map((value) => element('option', { value }));
  byId(id, HTMLDataListElement).append(...options);
}

function onClick(id: string, act: () => void): void {
  byId(id, HTMLButtonElement).addEventListener('click', act);
}
