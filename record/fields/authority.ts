import { type Field, WHEN_TRUE } from './field.ts';

const OF_A_POD = 'with type `pod`, as far as the pod is known';

/** What permitted an entry, where the kernel, a runtime's state or an object of the API says so. */
export const AUTHORITY = {
  authorityType: {
    key: 'vcml.authority.type',
    type: 'string',
    when: 'on an entry, where something says what permitted it',
    about:
      'What permitted the entry: `pod`, `exec_request`, `probe`, `lifecycle`, `unit` or `login` ([entries.md](entries.md)).',
  },
  authorityId: {
    key: 'vcml.authority.id',
    type: 'string',
    when: 'with a type',
    about:
      "Which one: the pod's uid, the request's id, the kind of probe or handler, the unit, or the login uid.",
  },
  authoritySource: {
    key: 'vcml.authority.source',
    type: 'string',
    when: 'with type `exec_request`',
    about: 'The environment variable that carried the id.',
  },
  authorityController: {
    key: 'vcml.authority.controller',
    type: 'strings',
    when: OF_A_POD,
    about:
      "`kind/name` of the pod's controller, and after it that of the Deployment or CronJob above it.",
  },
  authorityServiceAccount: {
    key: 'vcml.authority.service_account',
    type: 'string',
    when: OF_A_POD,
    about: "The name of the pod's service account.",
  },
  authorityMatched: {
    key: 'vcml.authority.matched',
    type: 'flag',
    when: WHEN_TRUE,
    about:
      'The command equals the one that is configured, and nothing else is known: a person may have run the same.',
  },
  authorityRemote: {
    key: 'vcml.authority.remote',
    type: 'string',
    when: "with type `login`, if the entry's environment has it",
    about: 'From where the login came, as in `SSH_CONNECTION`.',
  },
  authorityClaimed: {
    key: 'vcml.authority.claimed',
    type: 'flag',
    when: WHEN_TRUE,
    about: 'What `vcml.authority.remote` says is a claim of the process.',
  },
} as const satisfies Record<string, Field>;
