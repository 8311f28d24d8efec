import type { Environment, RecordedEnvironment, Variable } from '../../record/types.ts';
import type { Redact } from './invocation.ts';
import { parseTraceparent } from './traceparent.ts';

/** The variable that carries a trace context (OpenTelemetry, environment variables as carriers). */
export const TRACEPARENT = 'TRACEPARENT';

/** What records say of environments. */
export interface EnvironmentOptions {
  /** the names of the variables that are recorded */
  readonly names: readonly string[];
  /** Whether the trace context is recorded. */
  readonly hasTrace: boolean;
  readonly redact: Redact;
}

/** Returns what a record says of an exec's environment; undefined: nothing. */
export type RecordEnvironment = (
  environment: Environment | undefined,
) => RecordedEnvironment | undefined;

/** Makes a function that says what records say of environments; undefined: they say nothing. */
export function createEnvironmentRecorder({
  names,
  hasTrace,
  redact,
}: EnvironmentOptions): RecordEnvironment | undefined {
  const sorted = [...new Set(names)].sort();
  if (sorted.length === 0 && !hasTrace) return undefined;

  return (environment) => {
    // An exec of the time before it was configured was not searched at all.
    if (environment === undefined) return { variables: [], isTruncated: true, trace: undefined };
    const { isCut } = environment;
    const variables = sorted.flatMap((name) => firstOf(environment, name) ?? []).map(redacted);
    const trace = hasTrace ? traceOf(environment) : undefined;
    if (variables.length === 0 && trace === undefined && !isCut) return undefined;
    return { variables, isTruncated: isCut, trace };
  };

  /** A variable is redacted as the argument of `env NAME=value`. */
  function redacted({ name, value }: Variable): Variable {
    const [, word = ''] = redact(['env', `${name}=${value}`], '/usr/bin/env').args;
    return { name, value: word.startsWith(`${name}=`) ? word.slice(name.length + 1) : word };
  }
}

/** The variable as getenv() finds it: the first one. Records have no empty strings. */
function firstOf({ variables }: Environment, name: string): Variable | undefined {
  const found = variables.find((one) => one.name === name);
  return found?.value === '' ? undefined : found;
}

/** Of several traces none is taken: programs differ in which one they see. */
function traceOf({ variables }: Environment) {
  const [found, second] = variables.filter(({ name }) => name === TRACEPARENT);
  return found === undefined || second !== undefined ? undefined : parseTraceparent(found.value);
}
