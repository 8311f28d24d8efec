import { isIP } from 'node:net';
import { AUTHORITY } from '../../../record/fields/authority.ts';
import { createAttributesText } from '../../../record/line/attributes.ts';
import type { Environment, ExecEvent, Invocation } from '../../../record/types.ts';
import type { UnitPath } from '../cgroups/unit-path.ts';
import { type ContainerFacts, containerIn, podUidOf } from '../container-resource.ts';
import type { Pod } from '../pods/pod.ts';
import { type Commands, digestOf, HANDLERS, PROBES } from './commands.ts';
import { controllersOf } from './controllers.ts';

/** What permitted an entry. */
export interface Authority {
  readonly type: 'pod' | 'exec_request' | 'probe' | 'lifecycle' | 'unit' | 'login';
  readonly id: string;
  readonly source?: string;
  readonly controllers?: readonly string[];
  readonly serviceAccount?: string | undefined;
  readonly isMatched?: true;
  readonly remote?: string | undefined;
}

const textOf = createAttributesText<Authority>({
  type: { ...AUTHORITY.authorityType, value: ({ type }) => type },
  id: { ...AUTHORITY.authorityId, value: ({ id }) => id },
  source: { ...AUTHORITY.authoritySource, value: ({ source }) => source },
  controller: {
    ...AUTHORITY.authorityController,
    value: ({ controllers }) => (controllers?.length ? controllers : undefined),
  },
  serviceAccount: {
    ...AUTHORITY.authorityServiceAccount,
    value: ({ serviceAccount }) => serviceAccount,
  },
  matched: { ...AUTHORITY.authorityMatched, value: ({ isMatched }) => isMatched },
  remote: { ...AUTHORITY.authorityRemote, value: ({ remote }) => remote },
  claimed: { ...AUTHORITY.authorityClaimed, value: ({ remote }) => remote !== undefined },
});

/**
 * Returns what permitted an entry of a container as JSON text of attributes, each with a comma before
 * it; empty: nothing says so. `request` is the one that asked for it.
 */
export function containerAuthority(
  entry: 'start' | 'exec',
  facts: ContainerFacts,
  invocation: Invocation,
  request: Authority | undefined,
): string {
  const authority = entry === 'start' ? podOf(facts) : (request ?? commandOf(facts, invocation));
  return authority === undefined ? '' : textOf(authority);
}

/** Returns what permitted an entry of a unit, as containerAuthority() does. */
export function unitAuthority({ unit, isSession }: UnitPath, event: ExecEvent): string {
  const { loginUid } = event.invocation.context;
  if (!isSession || loginUid === undefined) return textOf({ type: 'unit', id: unit });
  const [remote = ''] = onlyValueOf(event.environment, SSH_CONNECTION)?.split(' ') ?? [];
  return textOf({ type: 'login', id: `${loginUid}`, remote: isIP(remote) ? remote : undefined });
}

/** sshd sets it: the address and port of the client, then its own (session.c, do_setup_env). */
export const SSH_CONNECTION = 'SSH_CONNECTION';

function podOf(facts: ContainerFacts): Authority | undefined {
  const id = podUidOf(facts);
  if (id === undefined) return undefined;
  const { state, pod } = facts;
  const type = containerIn(facts)?.type;
  // A person adds an ephemeral container to a pod; an unknown container may be one.
  const isOfController = state?.sandbox === true || (type !== undefined && type !== 'ephemeral');
  return {
    type: 'pod',
    id,
    controllers: isOfController && pod !== undefined ? controllersIn(pod) : [],
    serviceAccount: pod?.serviceAccount,
  };
}

function controllersIn({ controller, attributes }: Pod): readonly string[] {
  return controller === undefined ? controllersOf(attributes) : [controller];
}

/**
 * Returns the request whose id is in the environment of an entry of a container, in one of these variables. A
 * variable that the container's own configuration sets, or may set, is no authority.
 */
export function requestOf(
  { state }: ContainerFacts,
  { environment }: ExecEvent,
  variables: readonly string[],
): Authority | undefined {
  if (state === undefined) return undefined;
  for (const source of variables) {
    if (state.variables.includes(source)) continue;
    const id = onlyValueOf(environment, source);
    if (id) return { type: 'exec_request', id, source };
  }
  return undefined;
}

/** Returns the value of a variable that stands once; undefined also if it may stand twice. */
function onlyValueOf(environment: Environment | undefined, name: string): string | undefined {
  if (environment === undefined || environment.isCut) return undefined;
  const [found, second] = environment.variables.filter((one) => one.name === name);
  return second === undefined ? found?.value : undefined;
}

/** The probes of a container with the same command, or its handlers; undefined if both have it. */
function commandOf(facts: ContainerFacts, invocation: Invocation): Authority | undefined {
  const commands = containerIn(facts)?.commands;
  if (commands === undefined) return undefined;
  const digests = givenArgs(invocation).map(digestOf);
  const isSame = (kind: keyof Commands) => digests.includes(commands[kind] ?? '');
  const [probes, handlers] = [PROBES.filter(isSame), HANDLERS.filter(isSame)];
  if (probes.length > 0 === handlers.length > 0) return undefined;
  const type = probes.length > 0 ? 'probe' : 'lifecycle';
  return { type, id: [...probes, ...handlers].join(), isMatched: true };
}

/** Returns the arguments of an exec, and those that a script was given; none that are not whole. */
function givenArgs(invocation: Invocation): (readonly string[])[] {
  const { args, argsTruncated, argsRedacted, object, executable } = invocation;
  if (args === undefined || argsTruncated || argsRedacted > 0) return [];
  // Before a script's path, the kernel puts its interpreter and at most one option (fs/binfmt_script.c).
  const at = args.indexOf(object);
  const hasInterpreter = at > 0 && at < 3 && args[0]?.startsWith('/') && executable.path !== object;
  return hasInterpreter ? [args, args.slice(at)] : [args];
}
