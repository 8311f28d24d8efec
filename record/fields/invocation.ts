import type { Invocation } from '../types.ts';
import { ALWAYS, type Attribute, WHEN_TRUE } from './field.ts';

const WITH_ARGUMENTS = 'unless `arguments` is `none`';

/** What an exec says about how it was called, in the order of a line. */
export const INVOCATION = {
  argsCount: {
    key: 'process.args_count',
    type: 'integer',
    when: ALWAYS,
    about: 'The number of arguments, the first one included.',
    value: ({ argsCount }) => argsCount,
  },
  command: {
    key: 'process.command',
    type: 'string',
    when: `${WITH_ARGUMENTS} or the first argument is empty`,
    about: 'The first argument.',
    value: ({ args }) => args?.[0] || undefined,
  },
  args: {
    key: 'process.command_args',
    type: 'strings',
    when: WITH_ARGUMENTS,
    about: 'All arguments that were kept, the first one included.',
    value: ({ args }) => args,
  },
  argsRedacted: {
    key: 'vcml.process.args_redacted',
    type: 'integer',
    when: 'if there are any',
    about:
      'The number of secrets in the arguments that are `[redacted]` ([redaction.md](redaction.md)).',
    value: ({ argsRedacted }) => argsRedacted || undefined,
  },
  argsTruncated: {
    key: 'vcml.process.args_truncated',
    type: 'flag',
    when: WHEN_TRUE,
    about: 'The arguments were cut.',
    value: ({ argsTruncated }) => argsTruncated,
  },
  argsSize: {
    key: 'vcml.process.args_size',
    type: 'integer',
    when: 'with cut arguments',
    about: 'The size of all arguments in bytes, each with its terminator.',
    value: ({ argsTruncated, argsSize }) => (argsTruncated ? argsSize : undefined),
  },
  workingDirectory: {
    key: 'process.working_directory',
    type: 'string',
    when: ALWAYS,
    about: "The working directory, from the process's own root.",
    value: ({ workingDirectory }) => workingDirectory,
  },
  interactive: {
    key: 'process.interactive',
    type: 'flag',
    when: WHEN_TRUE,
    about: 'Standard input and standard error are the controlling terminal.',
    value: ({ interactive }) => interactive,
  },
  noNewPrivs: {
    key: 'vcml.process.no_new_privs',
    type: 'flag',
    when: WHEN_TRUE,
    about:
      'The process and its children can gain no privileges by an exec (`PR_SET_NO_NEW_PRIVS`).',
    value: ({ noNewPrivs }) => noNewPrivs,
  },
  seccomp: {
    key: 'vcml.process.seccomp',
    type: 'string',
    when: 'if there is one',
    about: '`filter`: a seccomp filter decides on the system calls of the process.',
    value: ({ seccompFilter }) => (seccompFilter ? 'filter' : undefined),
  },
  gained: {
    key: 'vcml.privilege.gained',
    type: 'strings',
    when: 'if there are any',
    about:
      '`setuid`, `setgid`: by these bits of its file, the process has the effective user or group ([Privileges](#privileges)).',
    value: gainedBy,
  },
  workingDirectoryTruncated: {
    key: 'vcml.process.working_directory_truncated',
    type: 'flag',
    when: WHEN_TRUE,
    about: 'The working directory was cut.',
    value: ({ workingDirectoryTruncated }) => workingDirectoryTruncated,
  },
  objectTruncated: {
    key: 'vcml.object.truncated',
    type: 'flag',
    when: WHEN_TRUE,
    about: '`object` was cut.',
    value: ({ objectTruncated }) => objectTruncated,
  },
  objectResolved: {
    key: 'vcml.object.resolved',
    type: 'flag',
    when: WHEN_TRUE,
    about: "The name that the caller gave is not known, and `object` is the executable's own path.",
    value: ({ objectResolved }) => objectResolved,
  },
} as const satisfies Record<string, Attribute<Invocation>>;

function gainedBy({ gainedSetuid, gainedSetgid }: Invocation): readonly string[] | undefined {
  if (!gainedSetuid && !gainedSetgid) return undefined;
  return [...(gainedSetuid ? ['setuid'] : []), ...(gainedSetgid ? ['setgid'] : [])];
}
