import type { ExecContext } from '../types.ts';
import { ALWAYS, type Attribute } from './field.ts';

const SET = 'The capabilities, as 16 hexadecimal digits,';
const NONE = '0'.repeat(16);
const NAMESPACE = 'as an inode number';

/** What an exec says about its user, session and namespaces, in the order of a line. */
export const CONTEXT = {
  euid: {
    key: 'process.user.id',
    type: 'integer',
    when: ALWAYS,
    about: 'The effective user id.',
    value: ({ euid }) => euid,
  },
  suid: {
    key: 'process.saved_user.id',
    type: 'integer',
    when: ALWAYS,
    about: 'The saved user id.',
    value: ({ suid }) => suid,
  },
  egid: {
    key: 'vcml.process.effective_group.id',
    type: 'integer',
    when: ALWAYS,
    about: 'The effective group id.',
    value: ({ egid }) => egid,
  },
  loginUid: {
    key: 'vcml.process.login_uid',
    type: 'integer',
    when: 'if one is set',
    about: 'The user id that the session logged in with.',
    value: ({ loginUid }) => loginUid,
  },
  sessionId: {
    key: 'vcml.process.session_id',
    type: 'integer',
    when: ALWAYS,
    about: "The process id of the session's leader.",
    value: ({ sessionId }) => sessionId,
  },
  tty: {
    key: 'vcml.process.tty',
    type: 'string',
    when: 'if there is one',
    about: 'The controlling terminal, such as `pts/0`.',
    value: ({ tty }) => tty,
  },
  capabilities: {
    key: 'vcml.process.capabilities.effective',
    type: 'string',
    when: ALWAYS,
    about: 'The effective capabilities after the exec, as 16 hexadecimal digits.',
    value: ({ capabilities }) => capabilities,
  },
  permittedCapabilities: {
    key: 'vcml.process.capabilities.permitted',
    type: 'string',
    when: 'unless it equals the effective set',
    about: `${SET} that the process can make effective ([Privileges](#privileges)).`,
    value: ({ capabilities, otherCapabilities: sets }) =>
      sets?.permitted === capabilities ? undefined : sets?.permitted,
  },
  inheritableCapabilities: {
    key: 'vcml.process.capabilities.inheritable',
    type: 'string',
    when: 'unless it is empty',
    about: `${SET} that files which name them keep at an exec.`,
    value: ({ otherCapabilities: sets }) => unlessEmpty(sets?.inheritable),
  },
  boundingCapabilities: {
    key: 'vcml.process.capabilities.bounding',
    type: 'string',
    when: 'unless it is the effective set or, if that is empty, complete',
    about: `${SET} that an exec can gain at most.`,
    value: ({ otherCapabilities: sets }) => (sets?.isBounded ? sets.bounding : undefined),
  },
  ambientCapabilities: {
    key: 'vcml.process.capabilities.ambient',
    type: 'string',
    when: 'unless it is empty',
    about: `${SET} that the process keeps at an exec without being root.`,
    value: ({ otherCapabilities: sets }) => unlessEmpty(sets?.ambient),
  },
  pidNamespace: {
    key: 'vcml.namespace.pid',
    type: 'decimal',
    when: ALWAYS,
    about: `The pid namespace, ${NAMESPACE}.`,
    value: ({ namespaces }) => `${namespaces.pid}`,
  },
  mntNamespace: {
    key: 'vcml.namespace.mnt',
    type: 'decimal',
    when: ALWAYS,
    about: `The mount namespace, ${NAMESPACE}.`,
    value: ({ namespaces }) => `${namespaces.mnt}`,
  },
  netNamespace: {
    key: 'vcml.namespace.net',
    type: 'decimal',
    when: ALWAYS,
    about: `The network namespace, ${NAMESPACE}.`,
    value: ({ namespaces }) => `${namespaces.net}`,
  },
  userNamespace: {
    key: 'vcml.namespace.user',
    type: 'decimal',
    when: ALWAYS,
    about: `The user namespace, ${NAMESPACE}.`,
    value: ({ namespaces }) => `${namespaces.user}`,
  },
  cgroupNamespace: {
    key: 'vcml.namespace.cgroup',
    type: 'decimal',
    when: ALWAYS,
    about: `The cgroup namespace, ${NAMESPACE}.`,
    value: ({ namespaces }) => `${namespaces.cgroup}`,
  },
} as const satisfies Record<string, Attribute<ExecContext>>;

function unlessEmpty(set: string | undefined): string | undefined {
  return set === NONE ? undefined : set;
}
