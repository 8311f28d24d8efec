import type { Key } from '../../../record/fields.ts';
import { Describer } from '../../report/page/describe.ts';
import { button, element } from '../../report/page/dom.ts';
import { clearPanel, fillPanel, list } from '../../report/page/panel.ts';
import { shortTime } from '../../report/page/row.ts';
import { counted, visible } from '../../report/page/text.ts';
import type { Branch, Chain } from './answers.ts';
import { Asker } from './ask.ts';
import type { Host } from './host.ts';
import { LoadedRecords } from './loaded.ts';
import { hashOf, type Place, patternFor, withValues } from './place.ts';
import { questionAbout } from './record-name.ts';

const EFFECTS_MAX = 30;
/** A reader who holds an arrow key passes many records. */
const REST_MS = 120;

interface Change {
  readonly place: Partial<Place>;
  readonly narrower?: Readonly<Record<string, string>>;
}

/** The panel with everything about a record. */
export class RecordDetails {
  readonly #panel: HTMLElement;
  readonly #host: Host;
  readonly #onFollow: (id: string) => void;
  readonly #chains = new Asker();
  readonly #effects = new Asker();
  /** what each link changes of the place */
  readonly #links = new Map<HTMLAnchorElement, Change>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #shown: string | undefined;

  constructor(panel: HTMLElement, host: Host, onFollow: (id: string) => void) {
    this.#panel = panel;
    this.#host = host;
    this.#onFollow = onFollow;
    // the panel scrolls, so that keys must reach it
    panel.tabIndex = 0;
    clearPanel(panel);
  }

  /** Shows a record; undefined: none is selected. */
  show(id: string | undefined): void {
    if (id === this.#shown) return;
    this.#shown = id;
    clearTimeout(this.#timer);
    this.#chains.stop();
    this.#effects.stop();
    this.#panel.removeAttribute('aria-busy');
    if (id === undefined) {
      clearPanel(this.#panel);
      return;
    }
    this.#panel.setAttribute('aria-busy', 'true');
    this.#timer = setTimeout(() => void this.#load(id), REST_MS);
  }

  async #load(id: string): Promise<void> {
    try {
      const chain = await this.#chains.ask<Chain>(...questionAbout('record', id));
      if (chain === undefined || this.#shown !== id) return;
      this.#fill(chain, undefined);
      if (chain.children > 0) {
        const question = questionAbout('children', id, { limit: `${EFFECTS_MAX}` });
        const effects = await this.#effects.ask<Branch>(...question);
        if (effects !== undefined && this.#shown === id) this.#fill(chain, effects);
      }
    } catch (error) {
      if (this.#shown !== id) return;
      this.show(undefined);
      this.#host.fail(error);
    } finally {
      if (this.#shown === id) this.#panel.removeAttribute('aria-busy');
    }
  }

  #fill(chain: Chain, effects: Branch | undefined): void {
    const records = new LoadedRecords();
    const describer = new Describer(records);
    const [record = -1, ...causes] = records.add(chain, chain.notes);
    const below = effects === undefined ? [] : records.add(effects, effects.notes);
    const link = (one: number): Node | string => {
      const text = `${shortTime(describer.time(one), false)}  ${describer.title(one)}`;
      const name = records.nameOf(one);
      return name === undefined ? text : button(text, () => this.#onFollow(name));
    };
    const { scrollTop } = this.#panel;
    fillPanel(this.#panel, {
      title: describer.title(record),
      time: describer.time(record),
      flags: describer.flags(record),
      notes: records.notesOf(record),
      because: [...because(causes.map(link), chain.between), visible(chain.end)],
      ledTo: ledTo(chain.children, below.map(link)),
      fields: records.fields(record),
      more: inSentences(chain.sentences),
      actions: [this.#actions(records.nameOf(record) ?? chain.id, records, record)],
    });
    if (effects !== undefined) this.#panel.scrollTop = scrollTop;
  }

  /** Makes the links, which depend on the place, lead from the present one. */
  link(): void {
    for (const [link, change] of this.#links) {
      const { place } = this.#host;
      const selection = withValues(place.selection, change.narrower ?? {});
      link.href = hashOf({ ...place, ...change.place, selection });
    }
  }

  #actions(id: string, records: LoadedRecords, record: number): HTMLElement {
    this.#links.clear();
    const tree = element('a', {}, 'Tree of this record');
    this.#links.set(tree, { place: { view: 'tree', about: id, id } });
    const narrower = namesOf(records, record).map(([option, words, value]) => {
      const link = element('a', {}, words);
      const place = { view: 'list', about: undefined } as const;
      this.#links.set(link, { place, narrower: { [option]: value } });
      return link;
    });
    const only = narrower.flatMap((link) => [' ', link]);
    this.link();
    return element(
      'p',
      { class: 'actions' },
      tree,
      ...(only.length === 0 ? [] : [element('span', {}, 'Only its:', ...only)]),
    );
  }
}

function inSentences(sentences: readonly string[]): readonly HTMLElement[] {
  if (sentences.length === 0) return [];
  const items = sentences.map((text) => element('li', {}, visible(text)));
  const summary = element('summary', {}, 'In sentences');
  return [element('details', {}, summary, element('ul', {}, ...items))];
}

function because(links: readonly (Node | string)[], between: number): readonly (Node | string)[] {
  if (between === 0) return links;
  return [
    ...links.slice(0, -1),
    `${counted(between, 'more cause')} in between`,
    ...links.slice(-1),
  ];
}

function ledTo(count: number, links: readonly (Node | string)[]): readonly HTMLElement[] {
  if (count === 0) return [element('p', {}, 'nothing in these inputs')];
  const more = count - links.length;
  const isLoaded = links.length > 0;
  const rest = isLoaded && more > 0 ? [`and ${more.toLocaleString('en')} more`] : [];
  const summary = element('p', {}, `${counted(count, 'record')} directly`);
  return isLoaded ? [summary, list('ul', [...links, ...rest])] : [summary];
}

/** The names by which a reader may want to narrow the selection. */
function namesOf(
  records: LoadedRecords,
  record: number,
): readonly (readonly [option: string, words: string, value: string])[] {
  const resource = records.get(record, 'resource');
  const names = (typeof resource === 'object' ? resource : null) as Partial<
    Record<Key, unknown>
  > | null;
  const actor = records.get(record, 'actor.uid');
  return (
    [
      ['exe', 'executable', records.attribute(record, 'process.executable.path')],
      ['user', 'user', typeof actor === 'number' ? `${actor}` : undefined],
      ['pod', 'pod', podOf(names)],
      ['container', 'container', names?.['container.id']],
      ['node', 'node', names?.['k8s.node.name'] ?? names?.['host.name']],
    ] as const
  ).flatMap(([option, words, value]) =>
    typeof value === 'string' && value !== ''
      ? [[option, words, words === 'pod' ? value : patternFor(option, value)] as const]
      : [],
  );
}

/** What selects the pod, with its namespace if both are names that Kubernetes allows. */
function podOf(names: Partial<Record<Key, unknown>> | null): string | undefined {
  const namespace = names?.['k8s.namespace.name'];
  const pod = names?.['k8s.pod.name'];
  if (typeof pod !== 'string') return undefined;
  const both = `${namespace}/${pod}`;
  return /^[a-z\d.-]+\/[a-z\d.-]+$/.test(both) ? both : patternFor('pod', pod);
}
