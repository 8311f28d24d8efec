import { hash } from 'node:crypto';

/** What the kubelet executes in a container by itself, as `vcml.authority.id` names it. */
export const PROBES = ['liveness', 'readiness', 'startup'] as const;
export const HANDLERS = ['post_start', 'pre_stop'] as const;
type CommandKind = (typeof PROBES)[number] | (typeof HANDLERS)[number];

/** The digests of the commands that a container is configured with. */
export type Commands = Readonly<Partial<Record<CommandKind, string>>>;

/** Returns the digest of a command: the command itself may have secrets in it. */
export function digestOf(args: readonly string[]): string {
  return hash('sha256', args.join('\0'), 'base64url');
}
