import type { Key } from '../../../record/fields.ts';
import type { Packed } from '../../report/packed.ts';
import type { Described } from '../../report/page/describe.ts';
import { type Records, unpackRecords } from '../../report/page/records.ts';
import { nanosecondsFrom } from '../../report/page/text.ts';
import type { Rows } from './answers.ts';
import { nameFor } from './record-name.ts';

interface Held {
  readonly page: Records;
  readonly index: number;
}

/** The records that the page has at present, by numbers that it gives them. */
export class LoadedRecords implements Described {
  /** what a cause is not in, if it is not here */
  whole = 'these inputs';
  readonly #held = new Map<number, Held>();
  /** records whose cause the server did not find */
  readonly #ends = new Set<number>();
  #next = 0;

  /** One more than the highest number. */
  get count(): number {
    return this.#next;
  }

  /** Adds records, and returns their numbers. */
  add(rows: Rows, notes: Packed['notes'] = []): readonly number[] {
    const page = unpackRecords({ ...rows, notes });
    return Array.from({ length: page.count }, (_, index) => {
      this.#held.set(this.#next, { page, index });
      return this.#next++;
    });
  }

  /** Returns a number for a line that is no record. */
  addLine(): number {
    return this.#next++;
  }

  /** Forgets records that no view shows. */
  drop(records: readonly number[]): void {
    for (const record of records) this.#held.delete(record);
  }

  /** Notes that the chain ends at a record. */
  endAt(record: number): void {
    this.#ends.add(record);
  }

  hasCause(record: number): boolean {
    return !this.#ends.has(record);
  }

  has(record: number): boolean {
    return this.#held.has(record);
  }

  get(record: number, field: string): unknown {
    const held = this.#held.get(record);
    return held?.page.get(held.index, field);
  }

  attribute(...[record, key]: Parameters<Records['attribute']>): unknown {
    const held = this.#held.get(record);
    return held?.page.attribute(held.index, key);
  }

  notesOf(record: number): readonly string[] {
    const held = this.#held.get(record);
    return held?.page.notesOf(held.index) ?? [];
  }

  fields(record: number): ReturnType<Records['fields']> {
    const held = this.#held.get(record);
    return held?.page.fields(held.index) ?? [];
  }

  /** The name of a record; undefined: it has no id that could be asked for. */
  nameOf(record: number): string | undefined {
    const id = this.get(record, 'id');
    if (typeof id !== 'string' || id === '' || !id.isWellFormed()) return undefined;
    const time = nanosecondsFrom(this.get(record, 'timestamp'));
    return nameFor(id, time, this.#nodeOf(record));
  }

  #nodeOf(record: number): unknown {
    const resource = this.get(record, 'resource') as Partial<Record<Key, unknown>> | null;
    return resource?.['k8s.node.name'] ?? resource?.['host.name'];
  }

  /** The time of a record in Unix nanoseconds. */
  timeOf(record: number): bigint {
    return nanosecondsFrom(this.get(record, 'timestamp')) ?? 0n;
  }
}
