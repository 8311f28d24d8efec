import {
  type AttributeReader,
  checkpointInWords,
  commandInWords,
  containerPlace,
  flagsInWords,
  gapInWords,
  lossInWords,
  placeNames,
  runInWords,
  withheldInWords,
} from '../../../record/describe.ts';
import type { Key } from '../../../record/fields.ts';
import { plain, shortened, word } from '../../../record/visible.ts';
import type { Records } from './records.ts';
import { counted, fullTime, nanosecondsFrom, visible } from './text.ts';

const COMMAND_MAX = 300;

/** The reason why a chain ends at a record, or what is missing there. */
export interface Hole {
  /**
   * the kind, by which records can be filtered: `gap:predates_hook`, `loss:ring_buffer`, `outside`
   */
  readonly kind: string;
  readonly sign: '⁇' | '‼' | '…';
  readonly text: string;
}

/** What a describer reads of records. */
export interface Described extends Pick<Records, 'get' | 'attribute' | 'notesOf'> {
  /** whether the cause that a record names is known to exist */
  hasCause(record: number): boolean;
  /** the records in words, such as `this report` */
  readonly whole: string;
}

/** Describes the records of a page. */
export class Describer {
  readonly #records: Described;

  constructor(records: Described) {
    this.#records = records;
  }

  /** The command of an exec, or the text of a record about the journal. */
  title(record: number): string {
    const action = this.#text(record, 'action');
    const object = plain(this.#records.get(record, 'object') ?? '');
    const attribute = this.#attributesOf(record);
    if (action === 'exec') return commandInWords(object, attribute, COMMAND_MAX);
    if (action === 'journal.start') return `▶ journal.start: ${runInWords(attribute)}`;
    if (action === 'journal.stop') return `■ journal.stop: ${runInWords(attribute)}`;
    if (action === 'journal.loss') return 'journal.loss';
    if (action === 'journal.withheld') return withheldInWords(attribute);
    if (action === 'journal.checkpoint') return checkpointInWords(attribute);
    return shortened(`${action} ${word(object)}`, COMMAND_MAX);
  }

  time(record: number): string {
    return fullTime(nanosecondsFrom(this.#records.get(record, 'timestamp')));
  }

  pid(record: number): string {
    return this.#text(record, 'actor.pid');
  }

  user(record: number): string {
    return this.#text(record, 'actor.uid');
  }

  executable(record: number): string {
    return this.#field(record, 'process.executable.path') || this.#text(record, 'object');
  }

  /** namespace/pod, or the container, or the node. */
  place(record: number): string {
    const resource = this.#records.get(record, 'resource');
    const isObject = typeof resource === 'object' && resource !== null;
    const names = placeNames(isObject ? (resource as Readonly<Record<string, unknown>>) : {});
    if (names.pod !== undefined) return containerPlace({ ...names, container: undefined });
    return names.container ?? names.node ?? '';
  }

  /** What is missing at a record; undefined where nothing is. */
  hole(record: number): Hole | undefined {
    const action = this.#text(record, 'action');
    if (action === 'journal.loss') return this.#loss(record);
    const cause = this.#records.get(record, 'parent_cause') ?? null;
    if (cause !== null) {
      if (this.#records.hasCause(record)) return undefined;
      const text = `its cause is not in ${this.#records.whole}: ${visible(cause)}`;
      return { kind: 'outside', sign: '…', text };
    }
    if (this.#text(record, 'permitted_by').startsWith('root_event:')) return undefined;
    const reason = this.#field(record, 'vcml.gap.reason') || 'no reason given';
    return { kind: `gap:${reason}`, sign: '⁇', text: gapInWords(this.#attributesOf(record)) };
  }

  /** What stands out about an exec: how it entered its container, and what file it runs. */
  flags(record: number): readonly string[] {
    const flags = flagsInWords(this.#attributesOf(record));
    return this.#records.notesOf(record).length > 0 ? [...flags, 'noted'] : flags;
  }

  #loss(record: number): Hole {
    const { records, stage, cpu, numbers } = lossInWords(this.#attributesOf(record), counted);
    const where = cpu === undefined ? '' : `, CPU ${cpu}`;
    const which = numbers === undefined ? '' : `, numbers ${numbers}`;
    const text = `${records} lost: ${stage}${where}${which}`;
    return { kind: `loss:${stage}`, sign: '‼', text };
  }

  #attributesOf(record: number): AttributeReader {
    return (key) => this.#records.attribute(record, key);
  }

  #field(record: number, key: Key): string {
    return visible(this.#records.attribute(record, key) ?? '');
  }

  #text(record: number, field: string): string {
    return visible(this.#records.get(record, field) ?? '');
  }
}
