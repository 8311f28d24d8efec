import type { Config } from '../config/schema.ts';
import type { JournalExport } from '../export/journal-export.ts';
import type { PreparedExport } from '../export/prepare-export.ts';
import type { Journal } from '../journal/journal.ts';
import { readLines } from '../journal/read.ts';
import { oldestPosition } from '../journal/segment.ts';
import type { Log } from '../log-events.ts';
import { VERSION } from '../version.ts';

/**
 * Checks the options of the export, and the files and variables that it reads. Returns undefined,
 * and loads nothing, if no endpoint is configured. Throws an error of the registry with exit code
 * 78.
 */
export async function prepareExport(
  config: Config,
  env: NodeJS.ProcessEnv,
  log: Log,
): Promise<PreparedExport | undefined> {
  if (config.exportEndpoint === '') return undefined;
  const { checkProtocol, readHeaders } = await import('../export/connect/environment.ts');
  const room = await import('../export/prepare-export.ts');
  checkProtocol(env);
  return room.prepareExport({
    version: VERSION,
    endpoint: config.exportEndpoint,
    insecure: config.exportInsecure === 'true',
    files: {
      certificate: orNone(config.exportCertificate),
      clientCertificate: orNone(config.exportClientCertificate),
      clientKey: orNone(config.exportClientKey),
      token: orNone(config.exportTokenFile),
      headers: orNone(config.exportHeadersFile),
      fixedHeaders: readHeaders(env),
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
export function startExport(
  prepared: PreparedExport,
  dir: string,
  journal: Journal,
): JournalExport {
  const journalExport = prepared.start({
    dir,
    get oldest() {
      return oldestPosition(dir);
    },
    end: journal.position,
    readLines: (from) => readLines(dir, from),
  });
  journal.follow((lines, length, end) => journalExport.push(lines, length, end));
  return journalExport;
}

function orNone(path: string): string | undefined {
  return path === '' ? undefined : path;
}
