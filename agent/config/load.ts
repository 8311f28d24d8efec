import type { $ZodIssue } from 'zod/v4/core';
import { OPTIONS } from './options.ts';
import { invalid } from './problems.ts';
import { type Config, schema } from './schema.ts';

/**
 * What the user set: flags by key, variables, and the file that `--config` names. `kept` takes the
 * place of defaults.
 */
export interface Given {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: NodeJS.ProcessEnv;
  readonly file: string | undefined;
  readonly kept?: Kept | undefined;
}

/** Options by key, as a file would have them, and where they are from. */
export interface Kept {
  readonly options: Readonly<Record<string, unknown>>;
  readonly origin: string;
}

/** The configuration in effect, and for each key where its value came from. */
export interface Loaded {
  readonly config: Config;
  readonly origins: Readonly<Record<string, string>>;
}

/**
 * Loads the configuration. Flags take precedence over variables, those over OpenTelemetry's variables,
 * those over the file, and the file over defaults. Throws CONFIGURATION_INVALID with every problem.
 */
export async function loadConfig(given: Given): Promise<Loaded> {
  const { flags, env, file = env[FILE_VARIABLE] } = given;
  // Without a prototype, `__proto__` is a key like any other.
  const values: Record<string, unknown> = Object.create(null);
  const origins: Record<string, string> = Object.create(null);
  const take = (key: string, value: unknown, origin: string) => {
    values[key] = value;
    origins[key] = origin;
  };
  for (const [key, value] of Object.entries(given.kept?.options ?? {}))
    take(key, value, given.kept?.origin ?? '');
  // The YAML parser is loaded only if there is a file.
  const content = file ? (await import('./file.ts')).readConfigFile(file) : undefined;
  for (const { key, value, asText, where } of content?.entries ?? [])
    take(key, isQuantity(key) ? value : asText, where);
  for (const { key, otelVariables, otelUnit } of OPTIONS)
    for (const variable of otelVariables.toReversed()) {
      const value = env[variable]?.trim();
      if (value) take(key, /^\d+$/.test(value) ? `${value}${otelUnit}` : value, variable);
    }
  for (const { key, variable } of OPTIONS) if (env[variable]) take(key, env[variable], variable);
  for (const { key, flag } of OPTIONS) if (flags[key] !== undefined) take(key, flags[key], flag);

  const result = schema.safeParse(values);
  const problems = [
    ...(content?.problems ?? []),
    ...(result.error?.issues ?? []).flatMap((issue) => problemsOf(issue, values, origins)),
    ...unknownVariables(env).map((variable) => `${variable}: there is no such option`),
  ];
  if (result.data === undefined || problems.length > 0) throw invalid(problems);
  return { config: result.data, origins: { ...origins } };
}

function isQuantity(key: string): boolean {
  return OPTIONS.some((option) => option.key === key && option.isQuantity);
}

const FILE_VARIABLE = 'VCML_AGENT_CONFIG';

/** Kubernetes sets these in every pod if a Service in the namespace has a name that begins with vcml-agent. */
const SERVICE_LINK = /_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)$/;

function unknownVariables(env: NodeJS.ProcessEnv): string[] {
  const known = new Set([FILE_VARIABLE, ...OPTIONS.map(({ variable }) => variable)]);
  return Object.keys(env).filter(
    (name) => name.startsWith('VCML_AGENT_') && !known.has(name) && !SERVICE_LINK.test(name),
  );
}

function problemsOf(
  issue: $ZodIssue,
  values: Readonly<Record<string, unknown>>,
  origins: Readonly<Record<string, string>>,
): string[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `${key} (${origins[key]}): there is no such option`);
  const key = String(issue.path[0]);
  const given = key in values ? ` (${origins[key]}) is ${JSON.stringify(values[key])}:` : '';
  const other = issue.code === 'custom' ? issue.params?.other : undefined;
  const beside = typeof other === 'string' ? `; ${other} ${standing(other, values, origins)}` : '';
  return [`${key}${given} ${issue.message}${beside}`];
}

/** Describes the value of the other key of a relation, and where it comes from. */
function standing(
  key: string,
  values: Readonly<Record<string, unknown>>,
  origins: Readonly<Record<string, string>>,
): string {
  if (key in values) return `(${origins[key]}) is ${JSON.stringify(values[key])}`;
  return `is ${OPTIONS.find((option) => option.key === key)?.default} by default`;
}
