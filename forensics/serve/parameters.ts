import { ENTRIES } from '../../record/fields/exec.ts';
import type { Selection } from '../select/filter.ts';
import { Refusal } from './refusal.ts';

/** The parameters of a question besides those that select records. */
export interface Parameters {
  readonly selection: Selection;
  /** Returns a text; undefined: it is not given. */
  text(name: string): string | undefined;
  /** Returns a whole number up to `max`, or `otherwise`. */
  number(name: string, otherwise: number, max: number): number;
}

/** The options of the command line that select records, by their names in an address. */
const TEXTS = {
  since: 'since',
  until: 'until',
  node: 'node',
  namespace: 'namespace',
  pod: 'pod',
  container: 'container',
  image: 'image',
  owner: 'owner',
  user: 'user',
  exe: 'exe',
  arg: 'arg',
  action: 'action',
  entry: 'entry',
} as const satisfies Readonly<Record<string, keyof Selection>>;
const FLAGS = {
  'upper-layer': 'upperLayer',
  memfd: 'memfd',
  setuid: 'setuid',
} as const satisfies Readonly<Record<string, keyof Selection>>;
const SELECTING = new Set([...Object.keys(TEXTS), ...Object.keys(FLAGS), 'label', 'gap']);
const LABELS_MAX = 20;

/**
 * Reads the parameters of an address. One that is not known is refused, because an answer without it
 * would be about more than was asked.
 */
export function parametersOf(given: URLSearchParams, known: readonly string[]): Parameters {
  for (const name of new Set(given.keys())) {
    if (!SELECTING.has(name) && !known.includes(name))
      throw new Refusal(
        400,
        `${JSON.stringify(name)} is no parameter of this question: leave it out`,
      );
    const count = given.getAll(name).length;
    if (count > (name === 'label' ? LABELS_MAX : 1))
      throw new Refusal(400, `the parameter ${name} is there ${count} times: give it once`);
  }
  const text = (name: string) => given.get(name) ?? undefined;
  return {
    selection: selectionOf(given),
    text,
    number(name, otherwise, max) {
      const value = text(name);
      if (value === undefined) return otherwise;
      if (!/^\d{1,9}$/.test(value) || Number(value) < 1 || Number(value) > max)
        throw new Refusal(400, `${name} must be a whole number from 1 to ${max}`);
      return Number(value);
    },
  };
}

function selectionOf(given: URLSearchParams): Selection {
  const selection: Record<string, string | readonly string[] | true> = {};
  for (const [name, option] of Object.entries(TEXTS)) {
    const value = given.get(name);
    if (value !== null && value !== '') selection[option] = value;
  }
  for (const [name, option] of Object.entries(FLAGS))
    if (isSet(name, given.get(name))) selection[option] = true;
  const labels = given.getAll('label').filter((label) => label !== '');
  if (labels.length > 0) selection.label = labels;
  const gap = given.get('gap');
  if (gap !== null) selection.gap = gap === '' || gap === 'true' ? true : gap;
  if (selection.entry !== undefined && !ENTRIES.some((entry) => entry === selection.entry))
    throw new Refusal(400, `entry must be one of ${ENTRIES.join(', ')}`);
  return selection;
}

function isSet(name: string, value: string | null): boolean {
  if (value === null || value === 'false') return false;
  if (value === '' || value === 'true') return true;
  throw new Refusal(400, `${name} must be true or false`);
}
