/** Where a reader is, which the address says behind its `#`, so that it can be sent to others. */

import { visible } from '../../../record/visible.ts';

/** The options of a selection that take a text, by their names on the command line. */
export const TEXTS = [
  'since',
  'until',
  'node',
  'namespace',
  'pod',
  'container',
  'image',
  'owner',
  'label',
  'user',
  'exe',
  'arg',
  'action',
  'entry',
  'gap',
] as const;

/** The options of a selection that take no text. */
export const FLAGS = ['upper-layer', 'memfd', 'setuid'] as const;

/** The options that need no text on the command line. */
const WORDLESS: ReadonlySet<string> = new Set([...FLAGS, 'gap']);

/** The views of the page. */
export const VIEWS = ['list', 'tree', 'unknown'] as const;
/** The name of a view. */
export type View = (typeof VIEWS)[number];

/** A view of the page with everything that it shows. */
export interface Place {
  readonly view: View;
  /** the parameters of the selection, as the server reads them */
  readonly selection: URLSearchParams;
  /** the name of the record in the details */
  readonly id: string | undefined;
  /** the name of the record that the tree is about; undefined: it is about the selection */
  readonly about: string | undefined;
  /** whether only nodes with something unknown are shown */
  readonly isUnknownOnly: boolean;
}

/** Reads a place from an address; parts that it does not know are left out. */
export function placeOf(hash: string): Place {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const view = VIEWS.find((name) => name === given.get('view')) ?? 'list';
  return {
    view,
    selection: selectionIn(given),
    id: given.get('id') ?? undefined,
    about: given.get('about') ?? undefined,
    isUnknownOnly: given.get('only') === 'unknown',
  };
}

/** Writes a place as an address, from its `#`. */
export function hashOf({ view, selection, id, about, isUnknownOnly }: Place): string {
  const all = new URLSearchParams();
  if (view !== 'list') all.set('view', view);
  if (isUnknownOnly && view === 'unknown') all.set('only', 'unknown');
  if (about !== undefined) all.set('about', about);
  for (const [name, value] of selection) all.append(name, value);
  if (id !== undefined) all.set('id', id);
  return `#${all}`;
}

/** Returns the selection with other values for these names; an empty value takes one away. */
export function withValues(
  selection: URLSearchParams,
  values: Readonly<Record<string, string>>,
): URLSearchParams {
  const changed = new URLSearchParams(selection);
  for (const [name, value] of Object.entries(values))
    if (value === '') changed.delete(name);
    else changed.set(name, value);
  return changed;
}

/** Returns what of the selection questions about nodes and times take. */
export function nodesAndTimes(selection: URLSearchParams): URLSearchParams {
  return new URLSearchParams(
    [...selection].filter(([name]) => name === 'since' || name === 'until' || name === 'node'),
  );
}

/** Returns the selection as arguments of the command line. */
export function argumentsOf(selection: URLSearchParams): readonly string[] {
  return [...selection].flatMap(([name, value]) =>
    value === 'true' && WORDLESS.has(name) ? [`--${name}`] : [`--${name}`, value],
  );
}

/**
 * Returns what selects exactly this value of an option and can be shown: a value's own special
 * characters lose their meaning, and `*` stands for characters that are not visible.
 */
export function patternFor(option: string, value: string): string {
  const isRegex = /^\/.+\/$/.test(value);
  // `--pod` takes a slash for the end of a namespace
  const isSplit = option === 'pod' && value.includes('/');
  if (!/[*?[]/.test(value) && !isRegex && !isSplit && visible(value) === value) return value;
  const characters = Array.from(value, (one) => {
    if (visible(one) !== one) return '*';
    if (isSplit && one === '/') return '?';
    return /[*?[]/.test(one) ? `[${one}]` : one;
  });
  const pattern = characters.join('');
  return pattern.startsWith('/') && isRegex ? `[/]${pattern.slice(1)}` : pattern;
}

function selectionIn(given: URLSearchParams): URLSearchParams {
  const known: readonly string[] = [...TEXTS, ...FLAGS];
  const selection = new URLSearchParams();
  for (const name of known)
    for (const value of name === 'label' ? given.getAll(name) : given.getAll(name).slice(0, 1))
      if (value !== '') selection.append(name, value);
  return selection;
}
