import type { Loaded } from '../config/load.ts';
import { OPTIONS } from '../config/options.ts';
import type { Config } from '../config/schema.ts';
import { createLog } from '../telemetry/log.ts';

/** Prints the configuration in effect with the origin of each value, as YAML that --config accepts. */
export function printConfig({ config, origins }: Loaded): number {
  const lines = OPTIONS.map(({ key, written }) => {
    const value = config[key as keyof Config];
    const text = typeof value === 'string' ? scalar(value) : written(value);
    return [`${key}: ${text}`, origins[key] ?? 'default'] as const;
  });
  const width = Math.max(...lines.map(([text]) => text.length));
  process.stdout.write(
    lines.map(([text, origin]) => `${text.padEnd(width)}  # ${origin}\n`).join(''),
  );
  return 0;
}

/**
 * Throws every problem of a valid configuration with the variables and files that it refers to, and
 * logs what is doubtful.
 */
export async function checkConfig(config: Config): Promise<number> {
  const { checkRun } = await import('../run/check-run.ts');
  await checkRun(config, process.env, createLog('warn'));
  return 0;
}

/** Writes a string without quotes if YAML reads it as a string. */
function scalar(value: string): string {
  return /^[A-Za-z/][\w./-]*$/.test(value) && !/^(true|false|null)$/i.test(value)
    ? value
    : JSON.stringify(value);
}
