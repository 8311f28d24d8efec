/** The form of a value in a line. */
export type FieldType =
  | 'string'
  /** a whole number, below 2^53 except in `timestamp` */
  | 'integer'
  /** `true`, or the field is absent */
  | 'flag'
  | 'strings'
  | 'integers'
  /** a whole number that may be beyond 2^53, as digits in a string */
  | 'decimal'
  /** nanoseconds since the boot, as digits in a string */
  | 'nanoseconds'
  /** RFC 3339 in UTC with nine digits of a second */
  | 'time';

/** One field of the record, with everything that writers, readers and the documentation need. */
export interface Field {
  /** Its name in a line. */
  readonly key: string;
  readonly type: FieldType;
  /** When a record has it. */
  readonly when: string;
  /** What it means: one sentence of Markdown. */
  readonly about: string;
}

/** What a line can hold for an attribute; undefined and false: the attribute is absent. */
export type Value = string | number | boolean | readonly string[] | readonly number[] | undefined;

/** An attribute whose value the writer takes from a part of the record, its `Source`. */
export interface Attribute<Source> extends Field {
  value(source: Source): Value;
}

/** `when` of a field that every record of its kind has. */
export const ALWAYS = 'always';
/** `when` of flags. */
export const WHEN_TRUE = 'when true';
