import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject } from '../../record/exact-json.ts';
import { OPTIONS } from '../config/options.ts';
import type { Config } from '../config/schema.ts';
import { readPlainFile, replaceFile } from '../files.ts';

/** The file in the journal's folder with the options of the last run. */
export const RUN_OPTIONS_FILE = 'run-options.json';

/** The options that decide what records say, and what becomes of the journal. */
export const RECORD_OPTIONS = [
  'nodeName',
  'clusterName',
  'metadata',
  'podLabels',
  'podAnnotations',
  'runtimeDirs',
  'arguments',
  'redactNames',
  'redactPatterns',
  'execRequestVariables',
  'environment',
  'traceContext',
  'segmentMaxBytes',
  'segmentMaxAge',
  'journalMaxBytes',
  'sync',
  'syncInterval',
  'compressionLevel',
] as const satisfies readonly (keyof Config)[];

/** The variables that do the same. */
const RECORD_VARIABLES = ['OTEL_RESOURCE_ATTRIBUTES', 'OTEL_SERVICE_NAME'];

/** What a run was started with, as far as it decides what records say. */
export interface RunOptions {
  /** by key, as a configuration file has them */
  readonly options: Readonly<Record<string, unknown>>;
  readonly variables: Readonly<Record<string, string>>;
}

/**
 * Saves the options of a run, so that whoever drains the ring after it writes the same records.
 * Throws if they cannot be written; those of an earlier run are gone then, too.
 */
export async function saveRunOptions(
  config: Config,
  env: NodeJS.ProcessEnv,
  hookId: string,
): Promise<void> {
  const file = join(config.journalDir, RUN_OPTIONS_FILE);
  await rm(file, { force: true });
  const options = OPTIONS.flatMap(({ key, written }) => {
    const value = RECORD_OPTIONS.some((one) => one === key) && config[key as keyof Config];
    return value === false ? [] : [[key, typeof value === 'object' ? value : written(value)]];
  });
  const variables = RECORD_VARIABLES.flatMap((name) => (env[name] ? [[name, env[name]]] : []));
  const kept = { options: Object.fromEntries(options), variables: Object.fromEntries(variables) };
  await replaceFile(file, JSON.stringify({ hookId, ...kept }), { durable: false });
}

/** Returns the options of the last run with this hook; undefined: they are not known. */
export function loadRunOptions(journalDir: string, hookId: string): RunOptions | undefined {
  try {
    const kept = JSON.parse(readPlainFile(join(journalDir, RUN_OPTIONS_FILE)));
    const { options, variables } = kept;
    const isSound = kept.hookId === hookId && isObject(kept.options) && isObject(kept.variables);
    if (!isSound || !Object.values(variables).every(isText)) return undefined;
    return { options, variables };
  } catch {
    return undefined;
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}
