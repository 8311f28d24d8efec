import type { V1Container, V1EnvVar, V1ExecAction } from '@kubernetes/client-node';
import { textOf } from '../../../record/kernel-text.ts';
import { type Commands, digestOf } from '../authority/commands.ts';

/** The parts of a container that its commands are in; null: a part is too large, and unknown. */
export type ConfiguredCommands = Pick<
  V1Container,
  'env' | 'livenessProbe' | 'readinessProbe' | 'startupProbe' | 'lifecycle'
>;

/**
 * Returns the commands of a container as the kubelet executes them: those of probes with their
 * references to the container's own variables expanded (pkg/kubelet/prober/prober.go), those of handlers
 * as they stand (pkg/kubelet/lifecycle/handlers.go). A command that is not known is left out.
 * Undefined: there is none.
 */
export function commandsOf(container: ConfiguredCommands): Commands | undefined {
  const { env, livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
  const values = valuesOf(env);
  const commands = {
    liveness: digestOfProbe(livenessProbe?.exec, values),
    readiness: digestOfProbe(readinessProbe?.exec, values),
    startup: digestOfProbe(startupProbe?.exec, values),
    post_start: digestOfCommand(lifecycle?.postStart?.exec?.command),
    pre_stop: digestOfCommand(lifecycle?.preStop?.exec?.command),
  };
  const known = Object.entries(commands).filter(([, digest]) => digest !== undefined);
  return known.length > 0 ? Object.fromEntries(known) : undefined;
}

/** Returns the values of variables by their names; undefined: some are not known. */
function valuesOf(env: readonly V1EnvVar[] | null | undefined): Map<string, string> | undefined {
  if (env === null) return undefined;
  // A value from elsewhere counts as empty here, as it does for the kubelet.
  return new Map(env?.map(({ name, value }) => [name, value ?? '']));
}

function digestOfProbe(
  exec: V1ExecAction | undefined,
  values: ReadonlyMap<string, string> | undefined,
): string | undefined {
  const command: readonly string[] | null | undefined = exec?.command;
  if (!command?.every((arg) => typeof arg === 'string')) return undefined;
  if (values === undefined)
    return command?.some((arg) => arg.includes('$')) ? undefined : digestOfCommand(command);
  return digestOfCommand(command?.map((arg) => expand(arg, values)));
}

/** Arguments are compared in the escaped form of records. */
function digestOfCommand(command: readonly string[] | null | undefined): string | undefined {
  if (!command || command.length === 0) return undefined;
  // The API server sends texts; others may send anything.
  if (!command.every((arg) => typeof arg === 'string')) return undefined;
  const args = command.map((arg) => Buffer.from(arg)).map((arg) => textOf(arg, 0, arg.length));
  return digestOf(args);
}

/**
 * Expands `$(NAME)`, and `$$` to a dollar; an unknown name stays as it stands
 * (third_party/forked/golang/expansion/expand.go).
 */
function expand(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(/\$(?:\$|\(([^)]*)\)|.)/gs, (all, name: string | undefined) => {
    if (name === undefined) return all === '$$' ? '$' : all;
    return values.get(name) ?? all;
  });
}
