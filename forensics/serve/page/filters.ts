import { byId, element } from '../../report/page/dom.ts';
import { visible } from '../../report/page/text.ts';
import type { Values } from './answers.ts';
import { Asker } from './ask.ts';
import type { Host } from './host.ts';
import { FLAGS, patternFor, TEXTS, withValues } from './place.ts';

const TYPING_MS = 150;

type Option = (typeof TEXTS)[number];

/** How an option of the selection is shown. */
interface Field {
  readonly name: Option;
  readonly label: string;
  readonly hint?: string;
  /** The server knows its values. */
  readonly isSuggested?: true;
  readonly choices?: Readonly<Record<string, string>>;
}

const FIRST: readonly Field[] = [
  { name: 'since', label: 'Since', hint: '2h, 2026-01-31' },
  { name: 'until', label: 'Until', hint: '15m, 2026-02-01' },
  { name: 'node', label: 'Node', isSuggested: true },
  { name: 'pod', label: 'Pod', hint: 'cart-*, shop/cart', isSuggested: true },
  { name: 'exe', label: 'Executable', hint: 'path or name', isSuggested: true },
  { name: 'arg', label: 'Argument', hint: '*.sh, /regex/' },
  { name: 'user', label: 'User', hint: 'uid, root', isSuggested: true },
];

const MORE: readonly Field[] = [
  { name: 'namespace', label: 'Namespace', isSuggested: true },
  { name: 'container', label: 'Container', hint: 'name or id', isSuggested: true },
  { name: 'image', label: 'Image', isSuggested: true },
  { name: 'owner', label: 'Owner', hint: 'deployment/cart', isSuggested: true },
  { name: 'label', label: 'Label of the pod', hint: 'key=value' },
  { name: 'action', label: 'Action', hint: 'exec, journal.loss', isSuggested: true },
  {
    name: 'entry',
    label: 'Entry into its container or unit',
    choices: { '': 'any', start: 'start', exec: 'exec', session: 'session' },
  },
  {
    name: 'gap',
    label: 'Gap',
    choices: {
      '': 'with and without',
      true: 'any reason',
      predates_hook: 'predates_hook',
      lost: 'lost',
      untracked: 'untracked',
    },
  },
];

const FLAG_LABELS: Readonly<Record<(typeof FLAGS)[number], string>> = {
  'upper-layer': 'written in the running container',
  memfd: 'in memory only (memfd)',
  setuid: 'setuid',
};

/** The form of the selection. */
export class Filters {
  readonly #form = byId('filters', HTMLFormElement);
  readonly #more = element('details', {}, element('summary', {}, 'More'));
  readonly #host: Host;
  readonly #texts = new Map<Option, HTMLInputElement | HTMLSelectElement>();
  readonly #flags = new Map<string, HTMLInputElement>();

  constructor(host: Host) {
    this.#host = host;
    const flags = FLAGS.map((name) => this.#flag(name));
    const group = element('fieldset', {}, element('legend', {}, 'Executables that were'), ...flags);
    this.#more.append(
      element('div', { class: 'fields-row' }, ...MORE.map((field) => this.#field(field)), group),
    );
    const clear = element('button', { type: 'reset' }, 'Clear');
    this.#form.append(
      element(
        'div',
        { class: 'fields-row' },
        ...FIRST.map((field) => this.#field(field)),
        element('button', { type: 'submit' }, 'Search'),
        clear,
      ),
      this.#more,
    );
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#apply();
    });
    this.#form.addEventListener('change', () => this.#apply());
    // the fields become empty only after this event
    this.#form.addEventListener('reset', () => setTimeout(() => this.#apply()));
  }

  /** Shows a selection in the form. */
  show(selection: URLSearchParams): void {
    for (const [name, input] of this.#texts) {
      const value = selection.getAll(name).join(' ');
      if (
        input instanceof HTMLSelectElement &&
        ![...input.options].some((one) => one.value === value)
      )
        input.append(new Option(visible(value), value));
      input.value = value;
    }
    for (const [name, input] of this.#flags) input.checked = selection.has(name);
    const isMore = (name: string) =>
      MORE.some((field) => field.name === name) || this.#flags.has(name);
    if ([...selection.keys()].some(isMore)) this.#more.open = true;
  }

  #apply(): void {
    const selection = this.#read();
    const { place } = this.#host;
    if (place.about !== undefined || selection.toString() !== place.selection.toString())
      this.#host.go({ selection, about: undefined });
  }

  #read(): URLSearchParams {
    const selection = new URLSearchParams();
    for (const [name, input] of this.#texts) {
      const text = input.value.trim();
      const values = name === 'label' ? text.split(/\s+/) : [text];
      for (const value of values) if (value !== '') selection.append(name, value);
    }
    for (const [name, input] of this.#flags) if (input.checked) selection.set(name, 'true');
    const inOrder = [...TEXTS, ...FLAGS].flatMap((name) =>
      selection.getAll(name).map((value): [string, string] => [name, value]),
    );
    return new URLSearchParams(inOrder);
  }

  #field(field: Field): HTMLElement {
    const { name, label, hint = '', choices } = field;
    const input =
      choices === undefined
        ? element('input', {
            id: name,
            placeholder: hint,
            autocomplete: 'off',
            spellcheck: 'false',
          })
        : element('select', { id: name });
    if (input instanceof HTMLSelectElement)
      input.append(
        ...Object.entries(choices ?? {}).map(([value, text]) => new Option(text, value)),
      );
    this.#texts.set(name, input);
    const list = field.isSuggested ? [this.#suggestions(name, input)] : [];
    return element('label', {}, `${label} `, input, ...list);
  }

  #flag(name: (typeof FLAGS)[number]): HTMLElement {
    const input = element('input', { type: 'checkbox', id: name });
    this.#flags.set(name, input);
    return element('label', { class: 'flag-field' }, input, ` ${FLAG_LABELS[name]}`);
  }

  /** Suggests values that occur, as the reader types. */
  #suggestions(name: Option, input: HTMLInputElement | HTMLSelectElement): HTMLDataListElement {
    const list = element('datalist', { id: `${name}-values` });
    const asker = new Asker();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let asked: string | undefined;
    const queryNow = () =>
      withValues(this.#host.place.selection, { [name]: '', prefix: input.value.trim() });
    const ask = async () => {
      const query = queryNow();
      const text = query.toString();
      if (asked === text) return;
      asked = text;
      // An answer without suggestions is no reason for an error: the search itself will say it.
      const answer = await asker.ask<Values>(`/api/values/${name}`, query).catch(() => undefined);
      if (asked !== text) return;
      const isUsable = answer !== undefined && text === queryNow().toString();
      if (!isUsable) asked = undefined;
      list.replaceChildren(...(isUsable ? answer.values.map((one) => optionFor(name, one)) : []));
    };
    input.setAttribute('list', list.id);
    input.addEventListener('focus', () => void ask());
    input.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(() => void ask(), TYPING_MS);
    });
    return list;
  }
}

function optionFor(name: Option, { value, records }: Values['values'][number]): HTMLOptionElement {
  const pattern = patternFor(name, value);
  const label = `${visible(value)} (${records.toLocaleString('en')})`;
  return element('option', { value: pattern, label });
}
