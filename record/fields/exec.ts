import { ALWAYS, type Field } from './field.ts';

/** The boot and the number of a record, which are its first attributes, in this order. */
export const NUMBERS = {
  bootId: {
    key: 'vcml.boot.id',
    type: 'string',
    when: ALWAYS,
    about: "The kernel's boot id.",
  },
  bootTime: {
    key: 'vcml.boot_time',
    type: 'nanoseconds',
    when: ALWAYS,
    about: 'The time of the record in nanoseconds since the boot.',
  },
  hookId: {
    key: 'vcml.hook.id',
    type: 'decimal',
    when: ALWAYS,
    about: 'The hook, by the boot time at which it was armed.',
  },
  cpu: {
    key: 'vcml.cpu',
    type: 'integer',
    when: 'on an exec',
    about: 'The CPU that gave the number.',
  },
  seq: {
    key: 'vcml.seq',
    type: 'integer',
    when: 'on an exec',
    about: 'The number of the exec on that CPU, counted from 1 since the hook was armed.',
  },
} as const satisfies Record<string, Field>;

/** What an exec says about its process, after its gap. */
export const PROCESS = {
  vpid: {
    key: 'process.vpid',
    type: 'integer',
    when: ALWAYS,
    about: "The process id in the process's own pid namespace.",
  },
  created: {
    key: 'process.creation.time',
    type: 'time',
    when: ALWAYS,
    about: 'When the process was forked.',
  },
} as const satisfies Record<string, Field>;

/** The values of `vcml.entry`; a session is one of a unit. */
export const ENTRIES = ['start', 'exec', 'session'] as const;

/** What an exec says about its place; these attributes are the last ones of its line. */
export const PLACE = {
  metadataState: {
    key: 'vcml.metadata.state',
    type: 'string',
    when: "in a pod's container",
    about:
      '`complete` if the record has all that the source of metadata gives, else `partial` ([containers.md](containers.md)).',
  },
  unit: {
    key: 'vcml.unit',
    type: 'string',
    when: 'outside of containers, in a unit of systemd',
    about: 'The unit: the first `.service` or `.scope` in the path of the cgroup.',
  },
  entry: {
    key: 'vcml.entry',
    type: 'string',
    when: 'where a chain entered a container or a unit',
    about:
      "How it entered: `start` or `exec`, or `session` in a login session's scope ([entries.md](entries.md)).",
  },
  cgroup: {
    key: 'process.linux.cgroup',
    type: 'string',
    when: 'unless the cgroup was gone before the agent knew of it',
    about:
      'One line as in `/proc/PID/cgroup`: of the unified hierarchy, or, where the process is in its root, of the memory or the pids controller. A path of more than 4,096 characters ends in `/\\...`, where names are left out.',
  },
} as const satisfies Record<string, Field>;
