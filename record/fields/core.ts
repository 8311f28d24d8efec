import { ALWAYS, type Field } from './field.ts';

/** A core field: its place in a line, and its place in an OTLP log record. */
export interface CoreField extends Field {
  readonly parent: 'line' | 'actor';
  /** The key of the attribute in OTLP; undefined: a field of the log record itself. */
  readonly otlp: string | undefined;
}

/** The fields at the beginning of every line, in their order. */
export const CORE = {
  id: {
    key: 'id',
    parent: 'line',
    otlp: 'log.record.uid',
    type: 'string',
    when: ALWAYS,
    about:
      'A UUIDv5 (RFC 9562) in lower case, which anyone can compute again: its namespace is the boot id, its name `<vcml.boot_time>:<actor.pid>`. For records about the journal the name is `<vcml.boot_time>:<action>:<n>`, where n counts from 0 within the run.',
  },
  timestamp: {
    key: 'timestamp',
    parent: 'line',
    otlp: undefined,
    type: 'integer',
    when: ALWAYS,
    about:
      "Unix nanoseconds of the kernel's event. The number is beyond 2^53: do not pass it through a double, as jq 1.6 and JavaScript do.",
  },
  pid: {
    key: 'pid',
    parent: 'actor',
    otlp: 'process.pid',
    type: 'integer',
    when: ALWAYS,
    about: "The process id in the host's pid namespace.",
  },
  ppid: {
    key: 'ppid',
    parent: 'actor',
    otlp: 'process.parent_pid',
    type: 'integer',
    when: ALWAYS,
    about: 'The id of the parent process at that time, which need not be the cause.',
  },
  uid: {
    key: 'uid',
    parent: 'actor',
    otlp: 'process.real_user.id',
    type: 'integer',
    when: ALWAYS,
    about: "The real user id in the host's user namespace.",
  },
  gid: {
    key: 'gid',
    parent: 'actor',
    otlp: 'vcml.process.real_group.id',
    type: 'integer',
    when: ALWAYS,
    about: "The real group id in the host's user namespace.",
  },
  comm: {
    key: 'comm',
    parent: 'actor',
    otlp: 'vcml.process.comm',
    type: 'string',
    when: ALWAYS,
    about: 'The new name of the process, at most 15 bytes; any process can set its own.',
  },
  action: {
    key: 'action',
    parent: 'line',
    otlp: undefined,
    type: 'string',
    when: ALWAYS,
    about:
      '`exec`, `journal.start`, `journal.loss`, `journal.checkpoint` or `journal.stop`; in OTLP also `journal.withheld`.',
  },
  object: {
    key: 'object',
    parent: 'line',
    otlp: 'vcml.object',
    type: 'string',
    when: ALWAYS,
    about: 'What was executed, as the caller named it, made absolute (see [Paths](#paths)).',
  },
  permittedBy: {
    key: 'permitted_by',
    parent: 'line',
    otlp: 'vcml.permitted_by',
    type: 'string',
    when: ALWAYS,
    about:
      '`parent_process_context` where there is a cause, `unobserved_parent` for a gap, `root_event:<action>` for records about the journal.',
  },
  parentCause: {
    key: 'parent_cause',
    parent: 'line',
    otlp: 'vcml.parent_cause',
    type: 'string',
    when: 'always; null in a gap and in records about the journal',
    about: 'The id of the record that led to this one (see [parent_cause](#parent_cause)).',
  },
} as const satisfies Record<string, CoreField>;

type CoreFields = typeof CORE;
/** The core fields that are attributes in OTLP. */
type OtlpName = {
  [Name in keyof CoreFields]: CoreFields[Name]['otlp'] extends string ? Name : never;
}[keyof CoreFields];

/** The keys of the attributes that carry core fields in OTLP, by name. */
export const OTLP_KEYS = Object.fromEntries(
  Object.entries(CORE).flatMap(([name, { otlp }]) => (otlp === undefined ? [] : [[name, otlp]])),
) as { readonly [Name in OtlpName]: CoreFields[Name]['otlp'] };
