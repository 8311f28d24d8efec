import type { Config } from '../config/schema.ts';
import type { CredentialFiles } from '../export/connect/credential-files.ts';
import type { JournalExport } from '../export/journal-export.ts';
import type { PreparedExport } from '../export/prepare-export.ts';
import { orUnusable } from '../journal/folder.ts';
import type { Journal } from '../journal/journal.ts';
import { readLines, readText } from '../journal/read.ts';
import { oldestPosition } from '../journal/segment.ts';
import type { Log } from '../log-events.ts';
import { VERSION } from '../version.ts';

/** Prepares the export; without credentials, nothing is exported and nothing of it is loaded. */
export async function prepareExport(
  config: Config,
  credentials: CredentialFiles | undefined,
  log: Log,
): Promise<PreparedExport | undefined> {
  if (credentials === undefined) return undefined;
  const room = await import('../export/prepare-export.ts');
  return room.prepareExport({
    version: VERSION,
    endpoint: config.exportEndpoint,
    insecure: config.exportInsecure === 'true',
    credentials,
    compression: config.exportCompression,
    timeoutMs: config.exportTimeout,
    batchRecords: config.exportBatchRecords,
    batchBytes: config.exportBatchBytes,
    batchAgeMs: config.exportBatchAge,
    catchUpRate: config.exportCatchUpRate,
    rules: config.exportRules,
    mayBeUnsynced: config.sync === 'never',
    log,
  });
}

/**
 * Starts the export of a journal that was just opened. Throws an error of the registry if its folder cannot
 * be listed.
 */
export async function startExport(
  prepared: PreparedExport,
  dir: string,
  journal: Journal,
): Promise<JournalExport> {
  const findOldest = () => oldestPosition(dir);
  const oldest = await findOldest().catch((error) => {
    throw orUnusable(dir, error);
  });
  const journalExport = prepared.start({
    dir,
    oldest,
    findOldest,
    end: journal.position,
    readLines: (from) => readLines(dir, from),
    readText: (from) => readText(dir, from),
  });
  journal.follow((lines, length, end, settled) => journalExport.push(lines, length, end, settled));
  return journalExport;
}
