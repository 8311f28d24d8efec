import type { Config } from '../config/schema.ts';
import { AgentError } from '../errors.ts';
import type { Exporter } from '../export/exporter.ts';
import type { Journal } from '../journal/journal.ts';
import { readLines } from '../journal/read.ts';
import { oldestPosition } from '../journal/segment.ts';
import type { Log } from '../log-events.ts';
import { VERSION } from '../version.ts';

const PROTOCOLS = ['OTEL_EXPORTER_OTLP_LOGS_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'];
const HEADERS = ['OTEL_EXPORTER_OTLP_LOGS_HEADERS', 'OTEL_EXPORTER_OTLP_HEADERS'];

/**
 * Creates the exporter, whose options are checked and which is not started yet. Returns undefined,
 * and loads nothing, if no endpoint is configured. Throws an error of the registry with exit code
 * 78.
 */
export async function createExporter(
  config: Config,
  env: NodeJS.ProcessEnv,
  log: Log,
): Promise<Exporter | undefined> {
  if (config.exportEndpoint === '') return undefined;
  const { variable = '', value = 'grpc' } = firstSet(PROTOCOLS, env);
  if (value !== 'grpc')
    throw new AgentError('EXPORT_PROTOCOL_UNSUPPORTED', { variable, value: JSON.stringify(value) });
  const { Exporter } = await import('../export/exporter.ts');
  return new Exporter({
    version: VERSION,
    endpoint: config.exportEndpoint,
    insecure: config.exportInsecure === 'true',
    files: {
      certificate: orNone(config.exportCertificate),
      clientCertificate: orNone(config.exportClientCertificate),
      clientKey: orNone(config.exportClientKey),
      token: orNone(config.exportTokenFile),
      headers: orNone(config.exportHeadersFile),
      fixedHeaders: await headersOf(env),
    },
    compression: config.exportCompression,
    timeoutMs: config.exportTimeout,
    batchRecords: config.exportBatchRecords,
    batchBytes: config.exportBatchBytes,
    batchAgeMs: config.exportBatchAge,
    catchUpRate: config.exportCatchUpRate,
    rules: config.exportRules,
    log,
  });
}

/** Starts the export of a journal that was just opened. */
export function startExporter(exporter: Exporter, dir: string, journal: Journal): void {
  exporter.start({
    dir,
    get oldest() {
      return oldestPosition(dir);
    },
    end: journal.position,
    readLines: (from) => readLines(dir, from),
  });
  journal.follow((lines, length, end) => exporter.push(lines, length, end));
}

/**
 * Headers are secrets: they are no option, lest a configuration that is printed shows them.
 * OpenTelemetry's exporter reads the variable that does not apply, too: each that is set must be
 * valid.
 */
async function headersOf(env: NodeJS.ProcessEnv): Promise<Record<string, string>> {
  const { parseHeaderList } = await import('../export/connect/headers.ts');
  const [headers = {}] = HEADERS.flatMap((variable) => {
    const value = env[variable]?.trim();
    if (value === undefined || value === '') return [];
    try {
      return [parseHeaderList(value)];
    } catch (error) {
      throw new AgentError('EXPORT_HEADERS_INVALID', {
        variable,
        reason: (error as Error).message,
      });
    }
  });
  return headers;
}

/** Returns the first of the variables that is set; an empty one counts as not set. */
function firstSet(
  variables: readonly string[],
  env: NodeJS.ProcessEnv,
): { readonly variable?: string; readonly value?: string } {
  const variable = variables.find((name) => env[name]?.trim());
  return variable === undefined ? {} : { variable, value: env[variable]?.trim() ?? '' };
}

function orNone(path: string): string | undefined {
  return path === '' ? undefined : path;
}
