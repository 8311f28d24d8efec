import { readFileSync } from 'node:fs';
import type { $ZodIssue } from 'zod/v4/core';
import { type Config, schema } from '../config.ts';
import { AgentError } from '../errors.ts';
import { OPTIONS } from './options.ts';

/** What the user gave: flags by key, variables, and the file that `--config` names. */
export interface Given {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: NodeJS.ProcessEnv;
  readonly file: string | undefined;
}

/** The configuration in effect, and of each key where its value came from. */
export interface Loaded {
  readonly config: Config;
  readonly origins: Readonly<Record<string, string>>;
}

/** Flags over variables over the file over defaults; throws CONFIGURATION_INVALID with every problem. */
export async function loadConfig(given: Given): Promise<Loaded> {
  const { flags, env, file = env[FILE_VARIABLE] } = given;
  const values: Record<string, unknown> = {};
  const origins: Record<string, string> = {};
  const take = (key: string, value: unknown, origin: string) => {
    values[key] = value;
    origins[key] = origin;
  };
  if (file) for (const [key, value] of Object.entries(await readFile(file))) take(key, value, file);
  for (const { key, variable } of OPTIONS) if (env[variable]) take(key, env[variable], variable);
  for (const { key, flag } of OPTIONS) if (flags[key] !== undefined) take(key, flags[key], flag);

  const result = schema.safeParse(values);
  const problems = [
    ...(result.error?.issues ?? []).flatMap((issue) => problemsOf(issue, values, origins)),
    ...unknownVariables(env).map((variable) => `${variable}: there is no such option`),
  ];
  if (result.data === undefined || problems.length > 0)
    throw new AgentError('CONFIGURATION_INVALID', inLines(problems));
  return { config: result.data, origins };
}

function inLines(problems: readonly string[]): string {
  const [first, ...more] = problems;
  return more.length === 0
    ? `configuration: ${first}`
    : ['configuration:', ...problems].join('\n  ');
}

const FILE_VARIABLE = 'VCML_AGENT_CONFIG';

/** Kubernetes gives these to every pod beside a Service whose name begins with vcml-agent. */
const SERVICE_LINK = /_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)$/;

function unknownVariables(env: NodeJS.ProcessEnv): string[] {
  const known = new Set([FILE_VARIABLE, ...OPTIONS.map(({ variable }) => variable)]);
  return Object.keys(env).filter(
    (name) => name.startsWith('VCML_AGENT_') && !known.has(name) && !SERVICE_LINK.test(name),
  );
}

async function readFile(file: string): Promise<object> {
  const { parse } = await import('yaml');
  try {
    const content: unknown = parse(readFileSync(file, 'utf8'));
    if (content === null || content === undefined) return {};
    if (typeof content === 'object' && !Array.isArray(content)) return content;
  } catch (error) {
    const why = error instanceof Error ? error.message.trim() : String(error);
    throw new AgentError('CONFIGURATION_INVALID', `${file}: ${why}`, { cause: error });
  }
  throw new AgentError('CONFIGURATION_INVALID', `${file}: must be a map of options`);
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
  return [`${key}${given} ${issue.message}`];
}
