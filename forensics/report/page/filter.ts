import type { Describer } from './describe.ts';
import type { Records } from './records.ts';
import { visible } from './text.ts';

const SUGGESTIONS_MAX = 200;

/** What a reader wants to see; an empty text selects everything. */
export interface Filter {
  readonly search: string;
  readonly place: string;
  readonly user: string;
  readonly executable: string;
  /** a kind of hole, `missing` for all gaps and losses, or empty */
  readonly show: string;
}

/** The values that a filter can select, computed once. */
export class FilterIndex {
  readonly places: readonly string[];
  readonly users: readonly string[];
  readonly executables: readonly string[];
  /** the kind of hole of each record */
  readonly holes: readonly (string | undefined)[];
  readonly #records: Records;
  readonly #describer: Describer;
  #texts: readonly string[] | undefined;

  constructor(records: Records, describer: Describer) {
    this.#records = records;
    this.#describer = describer;
    const every = <Value>(of: (record: number) => Value): readonly Value[] =>
      Array.from({ length: records.count }, (_, record) => of(record));
    this.places = every((record) => describer.place(record));
    this.users = every((record) => describer.user(record));
    this.executables = every((record) => describer.executable(record));
    this.holes = every((record) => describer.hole(record)?.kind);
  }

  /** Returns 1 for each record that matches the filter. */
  matching(filter: Filter): Uint8Array {
    const kept = new Uint8Array(this.#records.count).fill(1);
    keep(kept, this.places, filter.place);
    keep(kept, this.users, filter.user);
    keep(kept, this.executables, filter.executable);
    if (filter.search !== '') this.#search(kept, visible(filter.search).toLowerCase());
    if (filter.show !== '')
      for (const [record, kind] of this.holes.entries())
        if (!isShown(filter.show, kind)) kept[record] = 0;
    return kept;
  }

  /** Searches in each record's texts and in resources; few resources are distinct. */
  #search(kept: Uint8Array, part: string): void {
    const resources = new Map<unknown, boolean>();
    for (const [record, text] of this.#searchable().entries()) {
      if (text.includes(part)) continue;
      const resource = this.#records.get(record, 'resource');
      let found = resources.get(resource);
      if (found === undefined) {
        found = visible(resource).toLowerCase().includes(part);
        resources.set(resource, found);
      }
      if (!found) kept[record] = 0;
    }
  }

  #searchable(): readonly string[] {
    this.#texts ??= Array.from({ length: this.#records.count }, (_, record) => {
      const get = (field: string): string => visible(this.#records.get(record, field) ?? '');
      return [
        this.#describer.title(record),
        visible(this.#records.attribute(record, 'process.command_args') ?? ''),
        get('object'),
        this.executables[record],
        get('actor.comm'),
        this.#describer.pid(record),
        this.#describer.hole(record)?.text,
        ...this.#describer.flags(record),
        get('id'),
      ]
        .join('\n')
        .toLowerCase();
    });
    return this.#texts;
  }
}

/** The distinct values, the most frequent first. */
export function suggestions(values: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  counts.delete('');
  return [...counts]
    .sort(([, one], [, other]) => other - one)
    .slice(0, SUGGESTIONS_MAX)
    .map(([value]) => value);
}

function isShown(show: string, kind: string | undefined): boolean {
  if (show !== 'missing') return kind === show;
  return kind?.startsWith('gap:') === true || kind?.startsWith('loss:') === true;
}

/** Keeps records whose value equals a value that occurs, or contains anything else. */
function keep(kept: Uint8Array, values: readonly string[], wanted: string): void {
  if (wanted === '') return;
  if (!values.includes(wanted)) {
    const part = wanted.toLowerCase();
    for (const [record, value] of values.entries())
      if (!value.toLowerCase().includes(part)) kept[record] = 0;
    return;
  }
  for (const [record, value] of values.entries()) if (value !== wanted) kept[record] = 0;
}
